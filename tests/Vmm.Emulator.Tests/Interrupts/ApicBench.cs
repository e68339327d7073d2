using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Tests.Interrupts;

/// <summary>
/// A processor as its local APIC sees it: a clock that stands still until told otherwise, and counts of what was asked of it.
/// </summary>
internal sealed class ApicBench : ILocalApicHost
{
    public ApicBench(uint id = 0, LocalApicBus? bus = null, Func<LocalApicOptions, LocalApicOptions>? options = null)
    {
        LocalApicOptions fixedOptions = new()
        {
            Id = id,
            IsBootstrap = id == 0,
            TimeStampCounterFrequency = 2_600_000_000,
            TimerFrequency = 1_000_000_000,
        };
        Apic = new LocalApic(options?.Invoke(fixedOptions) ?? fixedOptions, this, bus ?? new LocalApicBus());
    }

    public LocalApic Apic { get; }

    public ulong Ticks { get; set; }

    public ulong TscOffset { get; set; }

    public ulong TimeStampCounter => Ticks + TscOffset;

    public int Kicks { get; private set; }

    public int DeadlineChanges { get; private set; }

    public List<byte> Ended { get; } = [];

    public uint this[int offset]
    {
        get => (uint)Apic.ReadMemory(offset, 4);
        set => Apic.WriteMemory(offset, 4, value);
    }

    public void Kick() => Kicks++;

    public void OnDeadlineChanged() => DeadlineChanges++;

    public void OnEndOfInterrupt(byte vector) => Ended.Add(vector);

    /// <summary>Enables the APIC by software, as every guest does first.</summary>
    public ApicBench Enabled()
    {
        this[0xF0] = 0x1FF;
        return this;
    }

    public ApicBench InX2Apic()
    {
        Apic.TryWriteBase(Apic.Base | 0x400).Should().BeTrue();
        return this;
    }

    /// <summary>Moves the clock on, and asks the timer.</summary>
    public void Advance(ulong ticks)
    {
        Ticks += ticks;
        Apic.PollTimer();
    }

    public ulong Msr(uint msr)
    {
        Apic.TryReadMsr(msr, out ulong value).Should().BeTrue($"MSR {msr:X} can be read");
        return value;
    }

    public bool Write(uint msr, ulong value) => Apic.TryWriteMsr(msr, value);
}
