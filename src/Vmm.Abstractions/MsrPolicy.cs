namespace Vmm;

/// <summary>What happens to a guest's access to a range of MSRs.</summary>
public enum MsrAction
{
    /// <summary>The backend's own handling.</summary>
    Allow,

    /// <summary>#GP(0).</summary>
    Fault,

    /// <summary>An <see cref="ExitKind.Msr"/> exit.</summary>
    Exit,

    /// <summary>Reads give zero, writes are dropped.</summary>
    Ignore,
}

/// <summary>One range of an <see cref="MsrPolicy"/>.</summary>
/// <param name="First">First MSR number.</param>
/// <param name="Last">Last MSR number, at least <paramref name="First"/>.</param>
/// <param name="Read">What a RDMSR does.</param>
/// <param name="Write">What a WRMSR does.</param>
public readonly record struct MsrRange(uint First, uint Last, MsrAction Read, MsrAction Write);

/// <summary>Which MSR accesses of the guest go where. Ranges are tried in order; the first that holds the number decides.</summary>
public sealed record MsrPolicy
{
    /// <summary>The ranges.</summary>
    public IReadOnlyList<MsrRange> Ranges { get; init; } = [];

    /// <summary>What happens to numbers that the backend does not know and no range holds.</summary>
    public MsrAction Unknown { get; init; } = MsrAction.Fault;

    /// <summary>What the first range that holds a number says; null where none does.</summary>
    /// <param name="msr">The register's number.</param>
    /// <param name="write">True for a WRMSR, false for a RDMSR.</param>
    public MsrAction? Find(uint msr, bool write)
    {
        for (int i = 0; i < Ranges.Count; i++)
        {
            MsrRange range = Ranges[i];
            if (msr >= range.First && msr <= range.Last)
                return write ? range.Write : range.Read;
        }
        return null;
    }
}
