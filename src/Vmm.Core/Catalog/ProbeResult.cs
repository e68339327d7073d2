namespace Vmm;

/// <summary>Whether a backend can work on this host.</summary>
public sealed record ProbeResult
{
    private ProbeResult(bool isAvailable, string? reason, string? fix)
    {
        IsAvailable = isAvailable;
        Reason = reason;
        Fix = fix;
    }

    /// <summary>The result for a backend that can work here.</summary>
    public static ProbeResult Available { get; } = new(true, null, null);

    /// <summary>Whether it can work here.</summary>
    public bool IsAvailable { get; }

    /// <summary>Why it cannot; null when it can.</summary>
    public string? Reason { get; }

    /// <summary>What the user can do about it; null when there is nothing to do.</summary>
    public string? Fix { get; }

    /// <summary>Makes the result for a backend that cannot work here.</summary>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="fix">What to do about it, as a sentence without its full stop; null when there is nothing to do.</param>
    public static ProbeResult Unavailable(string reason, string? fix = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new(false, reason, fix);
    }

    /// <inheritdoc/>
    public override string ToString() => IsAvailable ? "available" : Fix is null ? $"unavailable: {Reason}" : $"unavailable: {Reason}. Fix: {Fix}";
}
