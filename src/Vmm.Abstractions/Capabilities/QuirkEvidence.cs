using System.Collections.Immutable;

namespace Vmm;

/// <summary>One guest that was run on this host and did not do what a processor does.</summary>
/// <param name="Probe">What was tried, and in which mode.</param>
/// <param name="Code">The instructions that were run.</param>
/// <param name="Expected">What a processor does.</param>
/// <param name="Observed">The exit that came instead.</param>
public sealed record QuirkEvidence(string Probe, ImmutableArray<byte> Code, string Expected, string Observed)
{
    /// <inheritdoc/>
    public override string ToString() => $"probe '{Probe}' ran {Convert.ToHexString(Code.AsSpan())}: expected {Expected}, observed {Observed}";
}
