namespace Vmm.X86.Execution;

/// <summary>What becomes of a guest's access to a model-specific register.</summary>
public enum MsrAction
{
    /// <summary>The processor core handles the registers it keeps; others are asked for.</summary>
    Allow,

    /// <summary>#GP(0).</summary>
    Fault,

    /// <summary>It is asked for even where the core keeps the register.</summary>
    Ask,
}
