namespace Vmm;

/// <summary>What a processor is doing between instructions.</summary>
public enum ProcessorActivity : byte
{
    /// <summary>Executing.</summary>
    Running,

    /// <summary>After HLT.</summary>
    Halted,

    /// <summary>After INIT, until a start-up interrupt.</summary>
    WaitForSipi,

    /// <summary>After a triple fault.</summary>
    Shutdown,
}

/// <summary>A one-instruction shadow (SDM Vol. 3A 6.8.3).</summary>
public enum InterruptibilityShadow : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>After STI.</summary>
    Sti,

    /// <summary>After MOV SS or POP SS.</summary>
    MovSs,
}

/// <summary>Activity, shadows and events that wait.</summary>
public record struct EventState
{
    /// <summary>Activity.</summary>
    public ProcessorActivity Activity;

    /// <summary>Shadow in force.</summary>
    public InterruptibilityShadow Shadow;

    /// <summary>NMIs are blocked until IRET.</summary>
    public bool NmiBlocked;

    /// <summary>An NMI waits.</summary>
    public bool NmiPending;

    /// <summary>An INIT message waits.</summary>
    public bool InitPending;

    /// <summary>A start-up interrupt waits; it came after the INIT where that waits too.</summary>
    public bool StartupPending;

    /// <summary>The page that the waiting start-up interrupt names.</summary>
    public byte StartupVector;

    /// <summary>DR6 bits of a debug trap that waits; 0 for none.</summary>
    public uint PendingDebugTrap;

    /// <summary>The delivery of <see cref="Delivering"/> has begun and goes on before the next instruction.</summary>
    public bool HasDelivering;

    /// <summary>
    /// The event whose delivery has begun: it was taken from its source, the guest's handler is not reached. Software interrupts are never
    /// here, their instruction runs again.
    /// </summary>
    public InjectedEvent Delivering;

    /// <summary>An injected event waits in <see cref="Pending"/>.</summary>
    public bool HasPending;

    /// <summary>The injected event that waits.</summary>
    public InjectedEvent Pending;
}
