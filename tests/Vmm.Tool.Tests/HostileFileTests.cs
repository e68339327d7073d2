using System.Buffers.Binary;
using System.IO.Compression;

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
    public void Any_damage_to_an_ELF_file_ends_in_a_documented_status()
    {
        Random random = new(7);
        byte[] whole = Elf();
        for (int round = 0; round < 60; round++)
        {
            byte[] elf = [.. whole];
            for (int change = 0; change < 3; change++)
                elf[random.Next(4, 0x78)] = (byte)random.Next(256);

            ToolResult result = Run("run", "--memory", "4M", "--timeout", "0.05", "--elf", Write("elf", elf));

            result.Status.Should().BeOneOf([2, 6, 8, 124], "round {0} said {1}", round, result.Error);
            result.Error.Should().NotContain("   at ");
        }
    }

    // Boot sector, setup header of protocol 2.15 with a 64-bit entry, one setup sector, and a kernel of zeros.
    private static byte[] Linux(int kernelLength)
    {
        int paragraphs = (kernelLength + 15) / 16;
        byte[] image = new byte[1024 + paragraphs * 16];
        image[0x1F1] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x1F4), paragraphs);
        image[0x1FE] = 0x55;
        image[0x1FF] = 0xAA;
        image[0x200] = 0xEB;
        image[0x201] = 0x66;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x20F);
        image[0x211] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x214), 0x10_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x22C), 0x7FFF_FFFF);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x230), 0x20_0000);
        image[0x234] = 1;
        image[0x235] = 21;
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x236), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x238), 2047);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(0x258), 0x100_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x260), 0x100_0000);
        return image;
    }

    // A 64-bit executable of one segment at 1 MiB: cli; hlt.
    private static byte[] Elf()
    {
        byte[] elf = new byte[0x7A];
        ReadOnlySpan<byte> identity = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identity.CopyTo(elf);
        Span<byte> header = elf;
        BinaryPrimitives.WriteUInt16LittleEndian(header[0x10..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[0x12..], 62);
        BinaryPrimitives.WriteUInt32LittleEndian(header[0x14..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[0x18..], 0x10_0000);
        BinaryPrimitives.WriteUInt64LittleEndian(header[0x20..], 0x40);
        BinaryPrimitives.WriteUInt16LittleEndian(header[0x34..], 0x40);
        BinaryPrimitives.WriteUInt16LittleEndian(header[0x36..], 0x38);
        BinaryPrimitives.WriteUInt16LittleEndian(header[0x38..], 1);
        Span<byte> segment = header[0x40..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 7);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[8..], 0x78);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[0x10..], 0x10_0000);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[0x18..], 0x10_0000);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[0x20..], 2);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[0x28..], 2);
        elf[0x78] = 0xFA;
        elf[0x79] = 0xF4;
        return elf;
    }
}
