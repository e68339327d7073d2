namespace Vmm;

/// <summary>A backend that was asked for cannot work on this host.</summary>
public sealed class HypervisorUnavailableException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="backend">Backend name, or several when a choice among them failed.</param>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="fix">What the user can do about it; null when there is nothing to do.</param>
    /// <param name="innerException">What lies beneath.</param>
    public HypervisorUnavailableException(string backend, string reason, string? fix = null, Exception? innerException = null)
        : base(fix is null ? $"{backend} is unavailable: {reason}." : $"{backend} is unavailable: {reason}. Fix: {fix}.", innerException)
    {
        Backend = backend;
        Reason = reason;
        Fix = fix;
    }

    /// <summary>Backend name.</summary>
    public string Backend { get; }

    /// <summary>Why.</summary>
    public string Reason { get; }

    /// <summary>What to do about it, or null.</summary>
    public string? Fix { get; }
}
