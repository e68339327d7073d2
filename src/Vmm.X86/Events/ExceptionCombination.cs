namespace Vmm.X86.Execution;

/// <summary>What becomes of an exception met while another event is delivered.</summary>
public enum ExceptionCombination
{
    /// <summary>The second one is delivered instead; the first comes again when its cause does.</summary>
    Serial,

    /// <summary>A double fault.</summary>
    DoubleFault,

    /// <summary>A triple fault: the processor shuts down.</summary>
    Shutdown,
}
