using System.Buffers.Binary;
using System.IO.Compression;
using Vmm.Hostile.Files;

namespace Vmm.Tool.Tests;

public sealed class HostileFileTests : ToolTest
{
    [Theory]
    [InlineData("--kernel")]
    [InlineData("--elf")]
    [InlineData("--firmware")]
    public void File_that_is_not_there_empty_or_a_folder_is_refused(string option)
    {
        Run("run", option, PathOf("missing")).ShouldRefuse($"{option} cannot be read");
        Run("run", option, Path.GetDirectoryName(PathOf("x"))!).ShouldRefuse($"{option} cannot be read");
        Run("run", option, Write("empty", [])).ShouldRefuse("empty");
    }

    [Theory]
    [InlineData("--kernel")]
    [InlineData("--elf")]
    public void Garbage_is_refused(string option)
    {
        byte[] garbage = new byte[20_000];
        new Random(1).NextBytes(garbage);

        Run("run", option, Write("garbage", garbage)).ShouldRefuse("Cannot load");
    }

    [Fact]
    public void Truncated_Linux_kernel_is_refused()
    {
        Run("run", "--kernel", Write("vmlinuz", Linux(100_000)[..50_000])).ShouldRefuse("truncated");
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x3F)]
    [InlineData(0x40)]
    [InlineData(0x60)]
    public void Truncated_ELF_file_is_refused(int length)
    {
        Run("run", "--elf", Write("elf", Elf()[..length])).ShouldRefuse("Cannot load an ELF executable");
    }

    [Fact]
    public void ELF_file_as_kernel_says_what_it_is()
    {
        Run("run", "--kernel", Write("elf", Elf())).ShouldRefuse("neither a PVH note nor a multiboot header");
    }

    [Fact]
    public void Segment_outside_memory_is_refused()
    {
        byte[] elf = Elf();
        BinaryPrimitives.WriteUInt64LittleEndian(elf.AsSpan(0x40 + 0x18), 0x7FFF_FFFF_F000);

        Run("run", "--elf", Write("elf", elf)).ShouldRefuse("Cannot load an ELF executable");
    }

    [Fact]
    public void Damaged_initial_RAM_disk_is_refused()
    {
        string kernel = Write("vmlinuz", Linux(100_000));
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(new byte[100_000]);

        Run("run", "--kernel", kernel, "--initrd", Write("garbage", [1, 2, 3, 4])).ShouldRefuse("initial RAM disk");
        Run("run", "--kernel", kernel, "--initrd", Write("cut", packed.ToArray()[..60])).ShouldRefuse("initial RAM disk");
        Run("run", "--kernel", kernel, "--initrd", PathOf("missing")).ShouldRefuse("--initrd cannot be read");
    }

    [Fact]
    public void Too_little_memory_is_refused_with_what_is_needed()
    {
        Run("run", "--memory", "2M", "--kernel", Write("vmlinuz", Linux(100_000))).ShouldRefuse("MiB of memory");
    }

    [SkippableFact]
    public void File_without_an_end_is_given_up_at_the_guests_memory()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "/dev/zero is a file of Unix.");

        Run("run", "--memory", "4M", "--kernel", "/dev/zero").ShouldRefuse("larger than the guest's memory");
    }

    [Fact]
    public void Any_damage_ends_in_a_documented_status()
    {
        HostileFileRun run = new(20_261_122, 200);

        run.Run();

        run.Failures.Should().BeEmpty();
        run.Statuses.Should().ContainKeys(2, 6, 124);
    }

    // cli; hlt
    private static byte[] Elf() => Images.Elf(true, 0x10_0000, [(0x10_0000, 0x10_0000, [0xFA, 0xF4], 2)]);

    private static byte[] Linux(int kernelSize) => Images.Linux(kernelSize: kernelSize);
}
