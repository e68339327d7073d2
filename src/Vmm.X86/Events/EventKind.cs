namespace Vmm.X86.Execution;

/// <summary>How an event came about: decides what delivery checks and pushes (SDM Vol. 3C table 25-17 has the same list).</summary>
public enum EventKind : byte
{
    /// <summary>No event.</summary>
    None,

    /// <summary>A maskable interrupt.</summary>
    ExternalInterrupt,

    /// <summary>A non-maskable interrupt.</summary>
    NonMaskableInterrupt,

    /// <summary>An exception that the processor found: fault, trap or abort, by its vector.</summary>
    HardwareException,

    /// <summary>INT n.</summary>
    SoftwareInterrupt,

    /// <summary>INT1 (ICEBP): no DPL check.</summary>
    PrivilegedSoftwareException,

    /// <summary>INT3 or INTO.</summary>
    SoftwareException,
}
