using System.Collections.Immutable;

namespace Vmm.Kvm.Probes;

/// <summary>What came of a probe.</summary>
/// <param name="Probe">The probe.</param>
/// <param name="Holds">The host did as a processor does.</param>
/// <param name="Observed">The exit, or what stood in its place.</param>
internal sealed record ProbeResult(LimitProbe Probe, bool Holds, string Observed)
{
    /// <summary>The probe as evidence of its quirk.</summary>
    public QuirkEvidence Evidence => new(Probe.Name, ImmutableArray.Create(Probe.Code), Probe.Expected.ToString(), Observed);

    public override string ToString() => $"{(Holds ? "holds" : "does not hold")}: {Evidence}";
}
