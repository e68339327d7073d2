namespace Vmm.X86.Execution;

/// <summary>Which of the architecture's resets (SDM Vol. 3A table 10-1).</summary>
public enum ResetKind
{
    /// <summary>Power-up or RESET#: everything.</summary>
    PowerOn,

    /// <summary>
    /// INIT: x87, SSE, XCR0, time-stamp counter, MTRRs and most model-specific registers keep their values, CR0 its cache bits.
    /// </summary>
    Init,
}
