namespace Vmm.Testing;

/// <summary>How an exit was completed.</summary>
public enum ScriptedCompletionKind
{
    /// <summary><see cref="IVirtualProcessor.CompleteRead"/>.</summary>
    Read,

    /// <summary><see cref="IVirtualProcessor.CompleteCpuid"/>.</summary>
    Cpuid,

    /// <summary><see cref="IVirtualProcessor.CompleteWithFault"/>.</summary>
    Fault,

    /// <summary><see cref="IVirtualProcessor.CompleteWrite"/>.</summary>
    Write,
}

/// <summary>A completion that a <see cref="ScriptedProcessor"/> received.</summary>
public readonly record struct ScriptedCompletion
{
    /// <summary>Index of the step in the script.</summary>
    public int Step { get; init; }

    /// <summary>How.</summary>
    public ScriptedCompletionKind Kind { get; init; }

    /// <summary>The value of a read, cut to the size of the access.</summary>
    public ulong Value { get; init; }

    /// <summary>The answer to a CPUID.</summary>
    public CpuidResult Cpuid { get; init; }

    /// <summary>The decision on a violating write.</summary>
    public WriteResolution Resolution { get; init; }
}
