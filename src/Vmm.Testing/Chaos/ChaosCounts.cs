namespace Vmm.Testing;

/// <summary>How often each disturbance was made.</summary>
public sealed record ChaosCounts
{
    /// <summary>Runs that returned as cancelled without having begun.</summary>
    public long SpuriousCancels { get; init; }

    /// <summary>Interrupt windows that were none.</summary>
    public long EarlyInterruptWindows { get; init; }

    /// <summary>Runs that returned as cancelled after a little of the guest.</summary>
    public long ShortRuns { get; init; }

    /// <summary>Storms of cancels.</summary>
    public long CancelStorms { get; init; }

    /// <summary>Cancels that reached the backend in storms, and that the client did not see.</summary>
    public long HiddenCancels { get; init; }

    /// <summary>Runs that failed.</summary>
    public long AbortedRuns { get; init; }

    /// <summary>Interrupts that came late.</summary>
    public long LateInterrupts { get; init; }

    /// <summary>Calls for memory that were refused.</summary>
    public long RefusedMemory { get; init; }
}
