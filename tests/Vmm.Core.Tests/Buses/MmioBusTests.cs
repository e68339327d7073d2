using FsCheck;
using FsCheck.Fluent;

namespace Vmm.Core.Tests.Buses;

public sealed class MmioBusTests
{
    [Fact]
    public void Read_of_an_unassigned_address_gives_all_ones_and_is_counted()
    {
        MmioBus bus = new();
        for (int size = 1; size <= 8; size++)
            bus.Read(0x1000, size).Should().Be(size == 8 ? ulong.MaxValue : (1UL << (size * 8)) - 1);
        bus.Write(0x1000, 8, 0);
        bus.UnassignedAccesses.Should().Be(9);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(8)]
    public void Device_sees_the_size_of_the_access_and_its_own_offset(int size)
    {
        MmioBus bus = new();
        RecordingDevice device = new(ulong.MaxValue);
        bus.Register(0xFEC0_0000, 0x1000, device);
        bus.Read(0xFEC0_0010, size).Should().Be(ulong.MaxValue >> (64 - size * 8));
        bus.Write(0xFEC0_0020, size, ulong.MaxValue);
        device.Accesses.Should().Equal($"read 10 {size}", $"write 20 {size} {ulong.MaxValue >> (64 - size * 8):X}");
    }

    [Fact]
    public void Access_across_the_end_of_a_range_is_divided_between_the_neighbours()
    {
        MmioBus bus = new();
        RecordingDevice low = new(0x1111_1111_1111_1111);
        RecordingDevice high = new(0x2222_2222_2222_2222);
        bus.Register(0x1000, 0x10, low);
        bus.Register(0x1012, 0x10, high);
        bus.Read(0x100D, 8).Should().Be(0x2222_22FF_FF11_1111);
        bus.Write(0x100D, 8, 0x8877_6655_4433_2211);
        low.Accesses.Should().Equal("read D 3", "write D 3 332211");
        high.Accesses.Should().Equal("read 0 3", "write 0 3 887766");
        bus.UnassignedAccesses.Should().Be(2);
    }

    [Fact]
    public void Access_at_the_top_of_the_address_space_reaches_a_device_there()
    {
        MmioBus bus = new();
        RecordingDevice top = new(0xAB);
        bus.Register(ulong.MaxValue - 0xFFF, 0x1000, top);
        bus.Read(ulong.MaxValue, 1).Should().Be(0xAB);
        bus.Read(ulong.MaxValue, 2).Should().Be(0xFFAB);
        top.Accesses.Should().Equal("read FFF 1", "read FFF 1");
    }

    [Fact]
    public void Register_over_a_taken_byte_is_refused_naming_both()
    {
        MmioBus bus = new();
        bus.Register(0x1000, 0x1000, new RecordingDevice(), "timer");
        Action act = () => bus.Register(0x0, 0x1001, new RecordingDevice(), "disk");
        act.Should().Throw<ArgumentException>().WithMessage("*disk at 0x0-0x1000 overlaps timer at 0x1000-0x1FFF*");
        Action wraps = () => bus.Register(ulong.MaxValue, 2, new RecordingDevice());
        wraps.Should().Throw<ArgumentOutOfRangeException>();
        Action empty = () => bus.Register(0, 0, new RecordingDevice());
        empty.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Dispose_takes_only_its_own_range_away_and_only_once()
    {
        MmioBus bus = new();
        IDisposable guard = bus.Register(0x1000, 0x10, new RecordingDevice(1));
        guard.Dispose();
        bus.Read(0x1000, 1).Should().Be(0xFF);
        bus.Register(0x1000, 0x10, new RecordingDevice(2));
        guard.Dispose();
        bus.Read(0x1000, 1).Should().Be(2);
        bus.Ranges.Should().ContainSingle();
    }

    [Fact]
    public void Bus_agrees_with_a_byte_by_byte_model_under_any_registration_order()
    {
        // Devices answer each byte with a value that names its offset, so a wrong offset, owner or shift shows.
        Prop.ForAll<int>(seed =>
        {
            Random random = new(seed);
            MmioBus bus = new();
            int[] owner = new int[96];
            for (int i = 1; i <= 12; i++)
            {
                int start = random.Next(80);
                int length = random.Next(1, 16);
                bool free = owner.AsSpan(start, length).IndexOfAnyExcept(0) < 0;
                bool registered = true;
                try
                {
                    bus.Register((ulong)start, (ulong)length, new PatternDevice(i));
                }
                catch (ArgumentException)
                {
                    registered = false;
                }
                registered.Should().Be(free);
                if (free)
                    owner.AsSpan(start, length).Fill(i);
            }
            for (int address = 0; address <= owner.Length - 8; address++)
            {
                for (int size = 1; size <= 8; size++)
                {
                    ulong expected = 0;
                    for (int i = 0; i < size; i++)
                    {
                        int device = owner[address + i];
                        int first = address + i;
                        while (device != 0 && first > 0 && owner[first - 1] == device)
                            first--;
                        byte value = device == 0 ? (byte)0xFF : (byte)((device << 4) | (address + i - first));
                        expected |= (ulong)value << (i * 8);
                    }
                    if (bus.Read((ulong)address, size) != expected)
                        return false;
                }
            }
            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task Lookup_stays_right_while_other_ranges_come_and_go()
    {
        MmioBus bus = new();
        bus.Register(0x1_0000, 0x1000, new PatternDevice(3));
        using CancellationTokenSource stop = new();
        Task churn = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                using IDisposable below = bus.Register(0x100, 0x100, new PatternDevice(1));
                using IDisposable above = bus.Register(0x2_0000, 0x100, new PatternDevice(2));
            }
        });
        for (int i = 0; i < 200_000; i++)
        {
            if (bus.Read(0x1_0001, 1) != 0x31)
                Assert.Fail("the lookup lost a registered range");
        }
        await stop.CancelAsync();
        await churn;
    }

    [Fact]
    public void Access_allocates_nothing()
    {
        MmioBus bus = new();
        bus.Register(0x1000, 0x1000, new PatternDevice(1));
        bus.Register(0x3000, 0x1000, new PatternDevice(2));
        AllocationMeter.Of(() =>
        {
            bus.Write(0x1000, 4, 5);
            bus.Read(0x3000, 8);
            bus.Read(0x2FFC, 8);
            bus.Read(0x9000, 8);
        }).Should().Be(0);
    }

    private sealed class PatternDevice(int id) : IMmioDevice
    {
        public ulong Read(ulong offset, int size)
        {
            ulong value = 0;
            for (int i = 0; i < size; i++)
                value |= (ulong)(byte)((id << 4) | (int)(offset + (ulong)i)) << (i * 8);
            return value;
        }

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }
}
