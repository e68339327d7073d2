namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>How a simulated platform behaves beyond the plain case.</summary>
public sealed record SimulatorOptions
{
    /// <summary>The release of Windows.</summary>
    public WindowsRelease Release { get; init; } = WindowsRelease.Windows11;

    /// <summary>
    /// Seed of disturbances that the real platform shows now and then: runs that end as cancelled by nobody, memory exits without
    /// instruction bytes. Null for none.
    /// </summary>
    public int? DisturbanceSeed { get; init; }

    /// <summary>Several partitions of the process may have memory mapped, which the real platform refuses.</summary>
    public bool SeveralMappedPartitions { get; init; } = true;

    /// <summary>The call, counted from 1 over all functions, that fails with <see cref="FailureResult"/>; 0 for none.</summary>
    public int FailingCall { get; init; }

    /// <summary>The HRESULT of <see cref="FailingCall"/>.</summary>
    public int FailureResult { get; init; } = unchecked((int)0x8007_000E);
}
