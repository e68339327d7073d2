using System.Buffers.Binary;
using System.Text;
using Vmm.Devices;
using Vmm.Emulator;

namespace Vmm.Machines.Tests;

/// <summary>The firmware configuration device as its specification describes it, and against guests that ask for too much.</summary>
public sealed class FirmwareConfigurationTests : IDisposable
{
    private const int Reads = 2, Skips = 4, Selects = 8, Writes = 16;
    private const ulong RomAddress = 0xFFFF_0000;
    private const ulong CommandAddress = 0x1000;

    private readonly IPartition _partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions());
    private readonly GuestMemory _ram;
    private readonly GuestMemory _rom;
    private readonly FirmwareConfiguration _device;

    public FirmwareConfigurationTests()
    {
        _ram = _partition.AllocateMemory(0x10_0000);
        _rom = _partition.AllocateMemory(0x1_0000);
        _partition.Memory.Map(0, _ram, 0, _ram.Length, GuestAccess.All);
        _partition.Memory.Map(RomAddress, _rom, 0, _rom.Length, GuestAccess.ReadExecute);
        _device = new FirmwareConfiguration(_partition.Memory);
    }

    public void Dispose()
    {
        _partition.Dispose();
        _ram.Dispose();
        _rom.Dispose();
    }

    private byte[] Take(int key, int count)
    {
        _device.Write(0x510, 2, (uint)key);
        return [.. Enumerable.Range(0, count).Select(_ => (byte)_device.Read(0x511, 1))];
    }

    private int KeyOf(string name)
    {
        int count = BinaryPrimitives.ReadInt32BigEndian(Take(0x19, 4));
        byte[] directory = Take(0x19, 4 + 64 * count);
        for (int index = 0; index < count; index++)
        {
            Span<byte> entry = directory.AsSpan(4 + 64 * index, 64);
            if (Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0') == name)
                return BinaryPrimitives.ReadUInt16BigEndian(entry[4..]);
        }
        throw new InvalidOperationException($"The directory has no {name}.");
    }

    // Returns the command's first word afterwards.
    private uint Transfer(uint control, uint length, ulong address, ulong command = CommandAddress)
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, control);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), length);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), address);
        _partition.Memory.Write(command, bytes);
        Trigger(command);
        _partition.Memory.Read(command, bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    private void Trigger(ulong command)
    {
        _device.Write(0x514, 4, BinaryPrimitives.ReverseEndianness((uint)(command >> 32)));
        _device.Write(0x518, 4, BinaryPrimitives.ReverseEndianness((uint)command));
    }

    private byte[] Memory(ulong address, int count)
    {
        byte[] bytes = new byte[count];
        _partition.Memory.Read(address, bytes);
        return bytes;
    }

    [Fact]
    public void Signature_and_features_are_as_specified()
    {
        Encoding.ASCII.GetString(Take(0, 4)).Should().Be("QEMU");
        Take(1, 4).Should().Equal(3, 0, 0, 0);
        byte[] address = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(address, _device.Read(0x514, 4));
        BinaryPrimitives.WriteUInt32LittleEndian(address.AsSpan(4), _device.Read(0x518, 4));
        Encoding.ASCII.GetString(address).Should().Be("QEMU CFG");
    }

    [Fact]
    public void Files_are_found_through_the_directory_and_read_zero_past_their_end()
    {
        _device.AddFile("etc/one", new byte[] { 1, 2, 3 });
        _device.AddFile("opt/two", "hello"u8.ToArray());

        int one = KeyOf("etc/one"), two = KeyOf("opt/two");

        one.Should().BeGreaterThanOrEqualTo(0x20).And.NotBe(two);
        Take(one, 5).Should().Equal(1, 2, 3, 0, 0);
        Encoding.ASCII.GetString(Take(two, 5)).Should().Be("hello");
        Take(0x3333, 3).Should().Equal(0, 0, 0);
        BinaryPrimitives.ReadInt32BigEndian(Take(0x19, 8).AsSpan(4)).Should().Be(3, "the directory has the size of its first file");
    }

    [Fact]
    public void Changing_file_is_made_anew_at_each_selection()
    {
        byte made = 6;
        _device.AddChangingFile("etc/now", () => new[] { ++made });

        int key = KeyOf("etc/now");
        Take(key, 2).Should().Equal(8, 0);
        Take(key, 1).Should().Equal(9);
        Transfer((uint)key << 16 | Selects | Reads, 1, 0x2000);
        Memory(0x2000, 1).Should().Equal(10);
    }

    [Fact]
    public void Names_that_are_taken_or_cannot_be_are_refused()
    {
        _device.AddFile("etc/one", default);
        foreach (string name in new[] { "etc/one", "", "two words", "caf\u00E9", new string('n', 56) })
        {
            Action add = () => _device.AddFile(name, default);
            add.Should().Throw<ArgumentException>("'{0}' is no good name", name);
        }
        _device.AddFile(new string('n', 55), default);
        KeyOf(new string('n', 55)).Should().Be(0x21);
    }

    [Fact]
    public void Copy_to_memory_goes_on_where_the_last_ended_and_fills_with_zeros()
    {
        byte[] content = new byte[5000];
        new Random(3).NextBytes(content);
        _device.AddFile("etc/data", content);
        uint key = (uint)KeyOf("etc/data");
        _partition.Memory.Write(0x2000, Enumerable.Repeat((byte)0xEE, 0x3000).ToArray());

        Transfer(key << 16 | Selects | Skips, 100, 0).Should().Be(0);
        Transfer(Reads, 4500, 0x2F00).Should().Be(0);
        Memory(0x2F00, 4500).Should().Equal(content[100..4600]);
        Transfer(Reads, 0x600, 0x4100).Should().Be(0);

        Memory(0x4100, 400).Should().Equal(content[4600..]);
        Memory(0x4100 + 400, 0x600 - 400).Should().OnlyContain(value => value == 0);
        Memory(0x4700, 1).Should().Equal(0xEE);
        ((byte)_device.Read(0x511, 1)).Should().Be(0, "the item has been read to its end");
    }

    [Theory]
    [InlineData(0x20_0000ul, 16u), InlineData(0xF_FFF8ul, 16u), InlineData(0xFFFF_FFFF_FFFF_FFF8ul, 16u), InlineData(1ul << 60, 1u)]
    [InlineData(RomAddress, 4u), InlineData(0x8000ul, uint.MaxValue), InlineData(0x000F_0000_0000_0000ul, 4096u)]
    public void Copy_to_where_the_guest_may_not_write_reports_an_error(ulong address, uint length)
    {
        Transfer(Selects | Reads, length, address).Should().Be(1);

        Memory(RomAddress, 4).Should().Equal(0, 0, 0, 0);
    }

    [Theory]
    [InlineData(0x20_0000ul), InlineData(0xFFFF_FFFF_FFFF_FFFFul), InlineData(0xF_FFF8ul), InlineData(RomAddress)]
    public void Command_that_is_not_in_memory_is_dropped(ulong command)
    {
        Trigger(command);

        Take(0, 1).Should().Equal((byte)'Q');
    }

    [Fact]
    public void Guest_cannot_write_items()
    {
        _device.AddFile("etc/one", new byte[] { 1, 2, 3 });
        uint key = (uint)KeyOf("etc/one");
        _device.Write(0x511, 1, 0xFF);

        Transfer(key << 16 | Selects | Writes, 3, 0x2000).Should().Be(1);

        Take((int)key, 3).Should().Equal(1, 2, 3);
    }

    [Fact]
    public void Random_accesses_are_harmless()
    {
        Random random = new(5);
        _device.AddFile("etc/one", new byte[70_000]);
        for (int round = 0; round < 20_000; round++)
        {
            ushort port = (ushort)(0x510 + random.Next(12));
            int size = 1 << random.Next(3);
            if (random.Next(3) == 0)
                _device.Read(port, size);
            else
                _device.Write(port, size, (uint)random.NextInt64(1L << 32));
            byte[] command = new byte[16];
            random.NextBytes(command);
            command[4] = 0;
            _partition.Memory.Write((ulong)random.Next(0x1000), command);
            if (random.Next(4) == 0)
                Trigger((ulong)random.Next(0x1000));
        }
        Encoding.ASCII.GetString(Take(0, 4)).Should().Be("QEMU");
    }
}
