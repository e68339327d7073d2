namespace Vmm.Kvm.Probes;

/// <summary>A guest of a few instructions that shows whether the host does one thing as a processor does.</summary>
internal sealed record LimitProbe
{
    /// <summary>What the host has if it does not.</summary>
    public required Quirk Quirk { get; init; }

    /// <summary>What is tried.</summary>
    public required string Name { get; init; }

    public required ProbeMode Mode { get; init; }

    /// <summary>The guest's code, at <see cref="ProbeLayout.Code"/>.</summary>
    public required byte[] Code { get; init; }

    /// <summary>How it ends on a processor.</summary>
    public required ProbeEnd Expected { get; init; }

    /// <summary>Code at <see cref="ProbeLayout.Handler"/>, privilege level 0.</summary>
    public byte[] Handler { get; init; } = [];

    /// <summary>Vectors that lead to <see cref="Handler"/>.</summary>
    public byte[] Vectors { get; init; } = [];

    /// <summary>DR0 and DR7.</summary>
    public (ulong Address, ulong Control) Breakpoint { get; init; }

    /// <summary>A breakpoint or watchpoint of the host's debugger; null for none.</summary>
    public DebugPoint? HostPoint { get; init; }

    /// <summary>Model-specific registers to write before.</summary>
    public (uint Msr, ulong Value)[] Msrs { get; init; } = [];

    /// <summary>
    /// Injected one after the other: the first before the guest starts, each further one when it writes to
    /// <see cref="ProbeEnd.PausePort"/>.
    /// </summary>
    public InjectedEvent[] Events { get; init; } = [];

    /// <summary>
    /// Local APICs; with them the partition has a second processor, whose APIC is enabled with task priority 0 and that never runs.
    /// </summary>
    public LocalApicMode LocalApic { get; init; }

    /// <summary>Processor model that the guest needs; null = the backend's default.</summary>
    public CpuProfile? Profile { get; init; }

    /// <summary>A guest of a handful of instructions that is still in there then does not come back by itself.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Limit of the interrupt table; null = all 256 vectors.</summary>
    public ushort? VectorLimit { get; init; }
}
