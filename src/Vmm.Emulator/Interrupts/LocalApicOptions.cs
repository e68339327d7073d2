namespace Vmm.Emulator.Interrupts;

/// <summary>What is fixed about a local APIC.</summary>
internal sealed record LocalApicOptions
{
    /// <summary>The initial APIC id; up to 254 where the guest uses xAPIC mode.</summary>
    public required uint Id { get; init; }

    /// <summary>It belongs to the bootstrap processor.</summary>
    public bool IsBootstrap { get; init; }

    /// <summary>The processor shows x2APIC (CPUID 1, ECX[21]).</summary>
    public bool HasX2Apic { get; init; } = true;

    /// <summary>A reset leaves it in x2APIC mode, as some firmware does before it starts the guest.</summary>
    public bool StartsInX2Apic { get; init; }

    /// <summary>The processor shows TSC-deadline mode (CPUID 1, ECX[24]).</summary>
    public bool HasTscDeadline { get; init; } = true;

    /// <summary>MAXPHYADDR in bits, 32 to 52: the base cannot lie beyond it.</summary>
    public byte PhysicalAddressWidth { get; init; } = 36;

    /// <summary>Frequency of the time-stamp counter in hertz.</summary>
    public required ulong TimeStampCounterFrequency { get; init; }

    /// <summary>Frequency of the timer's input clock, before its divider, in hertz.</summary>
    public required ulong TimerFrequency { get; init; }
}
