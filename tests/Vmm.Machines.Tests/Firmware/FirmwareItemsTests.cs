using System.Buffers.Binary;
using System.Text;
using Vmm.Emulator;

namespace Vmm.Machines.Tests;

/// <summary>What a machine tells its firmware.</summary>
public sealed class FirmwareItemsTests
{
    private static Machine Build(ulong memory, Func<FirmwareImage, FirmwareImage>? with = null, BootImage? kernel = null) =>
        new(new EmulatorHypervisor(), new MachineOptions
        {
            Firmware = (with ?? (image => image))(new FirmwareImage(new byte[0x1_0000])),
            Image = kernel,
            MemorySize = memory,
        });

    private static byte[] Item(Machine machine, int key, int count)
    {
        machine.Ports.Write(0x510, 2, (uint)key);
        return [.. Enumerable.Range(0, count).Select(_ => (byte)machine.Ports.Read(0x511, 1))];
    }

    private static byte[] File(Machine machine, string name)
    {
        int count = BinaryPrimitives.ReadInt32BigEndian(Item(machine, 0x19, 4));
        byte[] directory = Item(machine, 0x19, 4 + 64 * count);
        for (int index = 0; index < count; index++)
        {
            Span<byte> entry = directory.AsSpan(4 + 64 * index, 64);
            if (Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0') == name)
                return Item(machine, BinaryPrimitives.ReadUInt16BigEndian(entry[4..]), BinaryPrimitives.ReadInt32BigEndian(entry));
        }
        throw new InvalidOperationException($"The directory has no {name}.");
    }

    [Fact]
    public void Memory_map_has_the_ram_on_both_sides_of_the_gap()
    {
        using Machine machine = Build(5ul << 30);

        byte[] map = File(machine, "etc/e820");

        map.Should().HaveCount(40);
        Entry(0).Should().Be((0ul, 0xC000_0000ul, 1u));
        Entry(1).Should().Be((0x1_0000_0000ul, 0x8000_0000ul, 1u));
        BinaryPrimitives.ReadUInt64LittleEndian(Item(machine, 0x03, 8)).Should().Be(5ul << 30);
        BinaryPrimitives.ReadUInt16LittleEndian(Item(machine, 0x05, 2)).Should().Be(1);

        (ulong, ulong, uint) Entry(int index) => (
            BinaryPrimitives.ReadUInt64LittleEndian(map.AsSpan(20 * index)),
            BinaryPrimitives.ReadUInt64LittleEndian(map.AsSpan(20 * index + 8)),
            BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(20 * index + 16)));
    }

    [Fact]
    public void Clients_files_and_the_serial_screen_are_there()
    {
        using Machine machine = Build(
            4 << 20, image => image with { ScreenOnSerial = true, Files = [new FirmwareFile("opt/mine", "text"u8.ToArray())] });

        File(machine, "etc/sercon-port").Should().Equal(0xF8, 0x03);
        File(machine, "opt/mine").Should().Equal("text"u8.ToArray());
    }

    [Fact]
    public void File_that_the_machine_makes_itself_is_refused()
    {
        Action build = () => Build(4 << 20, image => image with { Files = [new FirmwareFile("etc/e820", default)] }).Dispose();
        build.Should().Throw<ImageLoadException>().WithMessage("*already a file*");
    }

    [Fact]
    public void Kernel_is_offered_in_its_parts()
    {
        byte[] linux = Kernel(100_000);
        byte[] disk = new byte[5000];
        new Random(9).NextBytes(disk);
        using Machine machine = Build(16 << 20, kernel: new KernelImage(linux)
        {
            CommandLine = "console=ttyS0",
            Modules = [new BootModule(disk, "disk")],
        });

        Number(0x17).Should().Be(1024);
        Number(0x08).Should().Be((uint)linux.Length - 1024);
        Item(machine, 0x11, 100).Should().Equal(linux[1024..1124]);
        Encoding.ASCII.GetString(Item(machine, 0x15, (int)Number(0x14))).Should().Be("console=ttyS0\0");
        Item(machine, 0x12, (int)Number(0x0B)).Should().Equal(disk);
        uint diskAddress = Number(0x0A);
        (diskAddress % 4096).Should().Be(0);
        (diskAddress + 5000).Should().BeLessThanOrEqualTo(16u << 20);
        byte[] setup = Item(machine, 0x18, 1024);
        BinaryPrimitives.ReadUInt32LittleEndian(setup.AsSpan(0x218)).Should().Be(diskAddress);
        BinaryPrimitives.ReadUInt32LittleEndian(setup.AsSpan(0x21C)).Should().Be(5000);
        BinaryPrimitives.ReadUInt32LittleEndian(setup.AsSpan(0x228)).Should().Be(Number(0x13));
        setup[0x210].Should().NotBe(0, "a loader must say that it is one");

        uint Number(int key) => BinaryPrimitives.ReadUInt32LittleEndian(Item(machine, key, 4));
    }

    [Theory]
    [InlineData(1000), InlineData(600)]
    public void Cut_kernel_is_refused(int length)
    {
        Action build = () => Build(16 << 20, kernel: new KernelImage(Kernel(100_000).AsMemory(..length))).Dispose();
        build.Should().Throw<ImageLoadException>();
    }

    [Fact]
    public void Other_images_are_refused()
    {
        Action build = () => Build(16 << 20, kernel: new FlatImage(new byte[100], 0x1000)).Dispose();
        build.Should().Throw<ImageLoadException>().WithMessage("*no Linux bzImage*");
    }

    // Boot sector, setup header of protocol 2.12 and a kernel of noise.
    private static byte[] Kernel(int length)
    {
        byte[] image = new byte[1024 + length];
        new Random(2).NextBytes(image.AsSpan(1024));
        image[0x1F1] = 1;
        image[0x1FE] = 0x55;
        image[0x1FF] = 0xAA;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x20C);
        image[0x211] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x22C), 0x7FFF_FFFF);
        return image;
    }
}
