namespace Vmm.Devices.Tests;

/// <summary>
/// The same port accesses on our devices and on QEMU's PC must read the same. Where the two are known to differ by intent, the sequences
/// stay
/// away: they hold a request until it is acknowledged (a real 8259A forgets it, QEMU does not) and never depend on elapsed time.
/// </summary>
public sealed class QemuComparisonTests : IDisposable
{
    private const int Serial = 0x3F8;

    private readonly VirtualClock _clock = new(new DateTimeOffset(2024, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly PortBus _ports = new();
    private readonly PicPair _pic = new();
    private readonly Uart16550 _uart;
    private readonly RealTimeClock _rtc;
    private readonly List<PortOperation> _operations = [];
    private readonly List<(byte Value, byte Mask)> _ours = [];
    private bool _specialMask;

    public QemuComparisonTests()
    {
        PowerControl power = new();
        KeyboardController keyboard = new(_pic.GetLine(1), power, new A20Gate());
        _uart = new Uart16550(Serial, _clock, _pic.GetLine(4), _ => { });
        _rtc = new RealTimeClock(_clock, _pic.GetLine(8));
        _ports.Register(0x20, 2, _pic);
        _ports.Register(0xA0, 2, _pic);
        _ports.Register(0x4D0, 2, _pic);
        _ports.Register(0x60, 1, keyboard);
        _ports.Register(0x64, 1, keyboard);
        _ports.Register(0x70, 2, _rtc);
        _ports.Register(Serial, 8, _uart);
    }

    public void Dispose()
    {
        _uart.Dispose();
        _rtc.Dispose();
    }

    private void Out(int port, int value)
    {
        _operations.Add(PortOperation.Out(port, value));
        _ports.Write((ushort)port, 1, (byte)value);
    }

    private byte In(int port, byte compared = 0xFF)
    {
        _operations.Add(PortOperation.In(port));
        byte value = (byte)_ports.Read((ushort)port, 1);
        _ours.Add((value, compared));
        return value;
    }

    private void Compare()
    {
        byte[] theirs = QemuMachine.Run(_operations);
        int read = 0;
        for (int index = 0; index < _operations.Count; index++)
        {
            if (_operations[index].Value is not null)
                continue;
            if (((_ours[read].Value ^ theirs[read]) & _ours[read].Mask) != 0)
            {
                string before = string.Join("; ", _operations.Skip(Math.Max(0, index - 40)).Take(Math.Min(index, 40) + 1));
                Assert.Fail($"read {read}: ours 0x{_ours[read].Value:X2}, QEMU 0x{theirs[read]:X2}, after: {before}");
            }
            read++;
        }
        read.Should().BeGreaterThan(200, "the comparison is of something");
    }

    private void ResetSerial()
    {
        Out(Serial + 1, 0);
        Out(Serial + 3, 0x03);
        Out(Serial + 4, 0x10);
        Out(Serial + 2, 0x00);
        Out(Serial + 2, 0x07);
        Out(Serial + 2, 0x00);
        for (int count = 0; count < 3; count++)
        {
            In(Serial + 5, compared: 0);
            In(Serial + 6, compared: 0);
            In(Serial + 2, compared: 0);
        }
    }

    [SkippableFact]
    public void Serial_port_in_loopback_reads_as_QEMUs()
    {
        QemuMachine.Require();
        ResetSerial();
        Random random = new(1);
        for (int step = 0; step < 6_000; step++)
        {
            switch (random.Next(12))
            {
                case 0 or 1 or 2:
                    Out(Serial, random.Next(256));
                    break;
                case 3 or 4:
                    In(Serial);
                    break;
                case 5:
                    // Without the modem status interrupt: QEMU does not see the lines change in loopback, as the chip does.
                    Out(Serial + 1, random.Next(8));
                    break;
                case 6 or 7:
                    In(Serial + 2);
                    break;
                case 8:
                    In(Serial + 5);
                    break;
                case 9:
                    In(Serial + 6, compared: 0xF0);
                    break;
                case 10:
                    Out(Serial + 4, 0x10 | random.Next(16));
                    break;
                default:
                    Out(Serial + 7, random.Next(256));
                    In(Serial + 7);
                    In(Serial + 3);
                    In(Serial + 4);
                    break;
            }
            // A trigger level of one leaves nothing to a time-out.
            if (step % 500 == 499)
            {
                Out(Serial + 2, random.Next(2) == 0 ? 0x07 : 0x00);
                // What the empty buffer holds after a switch is nobody's to say.
                Out(Serial, 0x5A);
                In(Serial);
            }
        }
        Compare();
    }

    [SkippableFact]
    public void Divisor_latch_reads_as_QEMUs()
    {
        QemuMachine.Require();
        ResetSerial();
        Random random = new(2);
        for (int step = 0; step < 300; step++)
        {
            Out(Serial + 3, 0x80 | random.Next(64));
            Out(Serial, random.Next(1, 256));
            Out(Serial + 1, random.Next(256));
            In(Serial);
            In(Serial + 1);
            In(Serial + 3);
            Out(Serial + 3, 0x03);
            In(Serial + 1);
        }
        Compare();
    }

    [SkippableFact]
    public void Interrupt_controllers_read_as_QEMUs()
    {
        QemuMachine.Require();
        ResetSerial();
        Out(Serial + 4, 0x0B);
        // Nothing is left at the keyboard, and its interrupt is on.
        Out(0x64, 0x60);
        Out(0x60, 0x41);
        for (int count = 0; count < 5; count++)
            In(0x60, compared: 0);
        Out(0x4D0, 0);
        Out(0x4D1, 0);
        Random random = new(3);
        for (int round = 0; round < 60; round++)
        {
            Initialize(random);
            for (int step = 0; step < 60; step++)
                Step(random);
        }
        Compare();
    }

    private void Initialize(Random random)
    {
        // Both lines low before the edge logic is reset.
        Out(Serial + 1, 0);
        while ((_ports.Read(0x64, 1) & 1) != 0)
            In(0x60);
        int fourth = random.Next(4) switch { 0 => 0x03, 1 => 0x11, _ => 0x01 };
        _specialMask = false;
        Out(0x20, 0x11);
        Out(0x21, 0x20);
        Out(0x21, 0x04);
        Out(0x21, fourth);
        Out(0xA0, 0x11);
        Out(0xA1, 0x28);
        Out(0xA1, 0x02);
        Out(0xA1, 0x01);
        // Only the two lines used here may ask.
        Out(0x21, 0xED);
        Out(0xA1, 0xFF);
    }

    private byte Requests()
    {
        Out(0x20, 0x0A);
        // Without the timer, which firmware has left running there.
        return In(0x20, compared: 0xFE);
    }

    private void Step(Random random)
    {
        switch (random.Next(14))
        {
            case 0:
                if ((Requests() & 0x10) == 0)
                {
                    Out(Serial + 1, 0);
                    Out(Serial + 1, 2);
                }
                break;
            case 1:
                if ((Requests() & 0x02) == 0)
                {
                    while ((_ports.Read(0x64, 1) & 1) != 0)
                        In(0x60);
                    Out(0x64, 0xD2);
                    Out(0x60, random.Next(256));
                }
                break;
            case 2 or 3 or 4:
                Out(0x20, 0x0C);
                In(0x20);
                break;
            case 5:
                Out(0x21, 0xED | (random.Next(2) << 1) | (random.Next(2) << 4));
                break;
            case 6 or 7 when !_specialMask:
                Out(0x20, 0x20);
                break;
            case 8 when !_specialMask:
                Out(0x20, (random.Next(8) << 5) | random.Next(8));
                break;
            case 9:
                Out(0x20, 0x60 | (random.Next(2) == 0 ? 1 : 4));
                break;
            case 10:
                // In this mode QEMU's non-specific end takes masked levels too, which the data sheet excepts: only specific ones then.
                _specialMask = random.Next(2) == 0;
                Out(0x20, _specialMask ? 0x68 : 0x48);
                break;
            case 11:
                In(0x21);
                break;
            default:
                Out(0x20, 0x0B);
                In(0x20);
                Requests();
                break;
        }
    }

    [SkippableFact]
    public void Real_time_clock_reads_as_QEMUs()
    {
        QemuMachine.Require();
        Random random = new(4);
        for (int round = 0; round < 60; round++)
        {
            int format = random.Next(4) << 1;
            Cmos(0x0B, 0x80 | format);
            Cmos(0x00, 0);
            Cmos(0x02, Encode(random.Next(60), format));
            int hour = random.Next(24);
            Cmos(0x04, (format & 2) != 0 ? Encode(hour, format) : Encode((hour + 11) % 12 + 1, format) | (hour >= 12 ? 0x80 : 0));
            Cmos(0x07, Encode(random.Next(1, 29), format));
            Cmos(0x08, Encode(random.Next(1, 13), format));
            Cmos(0x09, Encode(random.Next(100), format));
            Cmos(0x32, Encode(20, format));
            Cmos(0x0B, format);
            ReadTime();
            Cmos(0x0B, random.Next(4) << 1);
            ReadTime();
            int index = random.Next(0x40, 0x80);
            Cmos(index, random.Next(256));
            Out(0x70, index);
            In(0x71);
        }
        Compare();

        static int Encode(int value, int format) => (format & 4) != 0 ? value : (value / 10 << 4) | value % 10;

        void Cmos(int index, int value)
        {
            Out(0x70, index);
            Out(0x71, value);
        }

        void ReadTime()
        {
            foreach (int index in new[] { 0x02, 0x04, 0x07, 0x08, 0x09, 0x0B, 0x0D })
            {
                Out(0x70, index);
                In(0x71);
            }
        }
    }

    [SkippableFact]
    public void Keyboard_controller_reads_as_QEMUs()
    {
        QemuMachine.Require();
        Out(0x64, 0xAA);
        In(0x60);
        Random random = new(5);
        for (int round = 0; round < 60; round++)
        {
            Out(0x64, 0xAA);
            In(0x60);
            Out(0x64, 0xAB);
            In(0x60);
            Out(0x64, 0x60);
            // The auxiliary port, which ours has not, stays disabled.
            Out(0x60, 0x64 | random.Next(2) << 1);
            Out(0x64, 0x20);
            In(0x60);
            Out(0x64, 0xD2);
            Out(0x60, random.Next(256));
            In(0x60);
            Out(0x60, 0xF2);
            In(0x60);
            In(0x60);
            In(0x60);
            Out(0x60, 0xED);
            In(0x60);
            Out(0x60, random.Next(8));
            In(0x60);
            Out(0x60, 0xEE);
            In(0x60);
        }
        Compare();
    }
}
