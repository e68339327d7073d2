namespace Vmm.Machines;

/// <summary>How a machine's run ended.</summary>
public enum MachineOutcomeKind
{
    /// <summary>The power was switched off.</summary>
    PoweredOff,

    /// <summary>The guest asked for a reset: keyboard controller, port 0x92 or port 0xCF9.</summary>
    Reset,

    /// <summary>The guest wrote to the debug-exit port.</summary>
    DebugExit,

    /// <summary>A processor shut down after a triple fault.</summary>
    TripleFault,

    /// <summary>A processor cannot go on: the backend failed, or the guest did what nothing here handles.</summary>
    Failed,

    /// <summary>Every processor is halted and nothing is able to wake one.</summary>
    AllHalted,

    /// <summary>The caller ended the run; it may go on.</summary>
    Cancelled,
}
