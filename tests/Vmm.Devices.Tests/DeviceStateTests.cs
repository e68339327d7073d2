using System.Collections.Immutable;

namespace Vmm.Devices.Tests;

/// <summary>
/// The oracle of a restored device is the device that was not saved: from the same script of accesses and time, both answer alike for ever.
/// </summary>
public sealed class DeviceStateTests
{
    private const int Seed = 20_240_917;

    public static TheoryData<string> Kinds => ["uart", "pic", "pit", "rtc", "keyboard", "reset", "port-a"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Restored_device_goes_on_as_the_saved_one(string kind)
    {
        for (int round = 0; round < 60; round++)
        {
            Random script = new(Seed + round);
            using Rig original = new(kind, 0);
            for (int step = 0; step < 150; step++)
                original.Step(script.Next(), script.Next(), script.Next());

            // The other machine's clock stands elsewhere: whole seconds away, which are whole ticks of every device.
            using Rig restored = new(kind, original.Now + (round * 1_000_000_000L));
            restored.Load(original.Save());
            restored.TakeSurroundings(original);
            for (int step = 0; step < 300; step++)
            {
                int choice = script.Next(), operand = script.Next(), time = script.Next();
                (int, bool, int) expected = original.Step(choice, operand, time);
                restored.Step(choice, operand, time).Should().Be(expected, "round {0}, step {1}", round, step);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Saved_state_that_is_saved_again_is_the_same(string kind)
    {
        Random script = new(Seed);
        using Rig original = new(kind, 0);
        for (int step = 0; step < 200; step++)
            original.Step(script.Next(), script.Next(), script.Next());
        using Rig restored = new(kind, 7_000_000_000);
        DeviceState first = original.Save();
        restored.Load(first);
        DeviceState second = restored.Save();
        second.Values.Select(Print).Should().Equal(first.Values.Select(Print));

        static string Print(KeyValuePair<string, ReadOnlyMemory<byte>> value) => $"{value.Key}={Convert.ToHexString(value.Value.Span)}";
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Hostile_state_is_refused_or_harmless(string kind)
    {
        Random random = new(Seed);
        for (int round = 0; round < 400; round++)
        {
            using Rig original = new(kind, 0);
            for (int step = 0; step < 20; step++)
                original.Step(random.Next(), random.Next(), random.Next());
            DeviceState state = original.Save();
            ImmutableArray<KeyValuePair<string, ReadOnlyMemory<byte>>> values = state.Values;
            for (int change = 0; change < 3 && values.Length > 0; change++)
            {
                int index = random.Next(values.Length);
                byte[] bytes = new byte[random.Next(4) == 0 ? random.Next(20) : values[index].Value.Length];
                random.NextBytes(bytes);
                values = values.SetItem(index, new(values[index].Key, bytes));
            }
            using Rig restored = new(kind, 1_000_000_000);
            try
            {
                restored.Load(state with { Values = values });
            }
            catch (SavedStateException e)
            {
                e.Message.Should().Contain("device");
                continue;
            }
            for (int step = 0; step < 30; step++)
                restored.Step(random.Next(), random.Next(), random.Next());
        }
    }

    [Fact]
    public void Missing_unknown_and_ill_sized_values_are_refused_by_name()
    {
        using Rig rig = new("reset", 0);
        DeviceState state = rig.Save();
        state.Values.Should().ContainSingle().Which.Key.Should().Be("value");
        Action missing = () => rig.Load(state with { Values = [] });
        missing.Should().Throw<SavedStateException>().WithMessage("*'reset'*value*missing*");
        Action unknown = () => rig.Load(state with { Values = state.Values.Add(new("later", new byte[1])) });
        unknown.Should().Throw<SavedStateException>().WithMessage("*'reset'*later*");
        Action twice = () => rig.Load(state with { Values = [.. state.Values, .. state.Values] });
        twice.Should().Throw<SavedStateException>().WithMessage("*'reset'*value twice*");
        Action size = () => rig.Load(state with { Values = [new("value", new byte[2])] });
        size.Should().Throw<SavedStateException>().WithMessage("*2 bytes instead of 1*");
        Action range = () => rig.Load(state with { Values = [new("value", new byte[] { 0xFF })] });
        range.Should().Throw<SavedStateException>().WithMessage("*0xFF, above 0xE*");
    }

    [Fact]
    public void Devices_are_matched_by_name_kind_and_version_before_anything_changes()
    {
        A20Gate gate = new() { Enabled = false };
        SaveableDevices saved = new();
        saved.Add("gate-0", gate);
        ImmutableArray<DeviceState> states = saved.Capture(0);

        A20Gate other = new();
        SaveableDevices here = new();
        here.Add("gate-0", other);
        Refused([], "*'gate-0'*does not have*");
        Refused([.. states, .. states], "*'gate-0' twice*");
        Refused([states[0] with { Name = "gate-1" }], "*'gate-1'*does not have*");
        Refused([states[0] with { Kind = "latch" }], "*latch*a20-gate*");
        Refused([states[0] with { Version = 2 }], "*version 2*up to 1*");
        Refused([states[0] with { Version = 0 }], "*version 0*");
        other.Enabled.Should().BeTrue();
        here.Apply(states, 0);
        other.Enabled.Should().BeFalse();
        here.Invoking(devices => devices.Add("gate-0", gate)).Should().Throw<ArgumentException>();

        void Refused(DeviceState[] wrong, string message) =>
            here.Invoking(devices => devices.Apply(wrong, 0)).Should().Throw<SavedStateException>().WithMessage(message);
    }

    /// <summary>A device on a clock of its own, driven by numbers.</summary>
    private sealed class Rig : IDisposable
    {
        private readonly string _kind;
        private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
        private readonly TestLine _line = new();
        private readonly A20Gate _gate = new();
        private readonly ushort[] _ports;
        private readonly IPortDevice _device;
        private int _output;

        public Rig(string kind, long start)
        {
            _kind = kind;
            _clock.AdvanceTo(start);
            (_device, _ports) = kind switch
            {
                "uart" => ((IPortDevice)new Uart16550(0x3F8, _clock, _line, data => _output += data[0]), Enumerable.Range(0x3F8, 8).Select(p => (ushort)p).ToArray()),
                "pic" => (new PicPair(), [0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1]),
                "pit" => (new Pit(_clock, _line), [0x40, 0x41, 0x42, 0x43, 0x43, 0x61]),
                "rtc" => (new RealTimeClock(_clock, _line), [0x70, 0x71, 0x71]),
                "keyboard" => (new KeyboardController(_line, new PowerControl(), _gate), [0x60, 0x64]),
                "reset" => (new ResetControl(new PowerControl()), [0xCF9]),
                _ => (new SystemControlPortA(new PowerControl(), _gate), [(ushort)0x92]),
            };
        }

        public long Now => _clock.Nanoseconds;

        public DeviceState Save() => DeviceStateExchange.Save(_kind, (ISaveableDevice)_device, _clock.Nanoseconds);

        public void Load(DeviceState state)
        {
            DeviceStateExchange.Load(state, (ISaveableDevice)_device, _clock.Nanoseconds);
        }

        /// <summary>What is not the device's own to restore: the level that the controller sees, the gate that two devices share.</summary>
        public void TakeSurroundings(Rig other)
        {
            _line.Set(other._line.Level);
            _gate.Enabled = other._gate.Enabled;
            _output = other._output;
        }

        public (int Read, bool Level, int Output) Step(int choice, int operand, int time)
        {
            ushort port = _ports[choice % _ports.Length];
            // Refresh toggles run on absolute ticks of the timer, whose phase another clock does not share.
            int mask = port == 0x61 ? 0xEF : 0xFF;
            int read = 0;
            switch ((choice >> 8) % 4)
            {
                case 0:
                    read = _device.In(port) & mask;
                    break;
                case 1 or 2 when _kind == "rtc" && (choice & 0x8000) != 0:
                    _device.Out(0x70, (operand >> 8) % 14);
                    break;
                case 1 or 2:
                    _device.Out(port, operand);
                    break;
                case 3 when _device is PicPair pic:
                    if ((operand & 3) == 0)
                        read = pic.Asserted ? pic.Acknowledge() : -1;
                    else
                        pic.GetLine(operand % 16 == 2 ? 3 : operand % 16).Set((operand & 0x40) != 0);
                    break;
                case 3 when _device is Uart16550 uart:
                    read = uart.Receive([(byte)operand, (byte)(operand >> 8), (byte)(operand >> 16)]);
                    break;
                default:
                    _clock.Advance((time & 7) == 0 ? time % 3_000_000_000L : time % 3_000_000);
                    break;
            }
            return (read, _device is PicPair chips ? chips.Asserted : _line.Level, _output);
        }

        public void Dispose() => (_device as IDisposable)?.Dispose();
    }
}
