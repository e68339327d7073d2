using System.Collections.Immutable;
using System.Globalization;

namespace Vmm.Kvm.Probes;

/// <summary>
/// What this host's virtual machines do not do as a processor does, found by running a tiny guest for each thing. Immutable.
/// </summary>
internal sealed class HostLimits
{
    private HostLimits(ImmutableArray<ProbeResult> results, double instructionsPerSecond)
    {
        Results = results;
        InstructionsPerSecond = instructionsPerSecond;
        Quirks = Collect();
    }

    /// <summary>Every probe that could be run, and what came of it.</summary>
    public ImmutableArray<ProbeResult> Results { get; }

    /// <summary>How fast a loop at privilege level 0 runs.</summary>
    public double InstructionsPerSecond { get; }

    /// <summary>What does not hold, with words and evidence; empty on a host where nothing is lost.</summary>
    public ImmutableArray<Quirk> Quirks { get; }

    /// <summary>Whether nothing was found against a capability: a quirk that takes one away has its name.</summary>
    public bool Allows(Capability capability) => Results.All(result => result.Holds || result.Probe.Quirk.Name != capability.Name);

    /// <summary>Runs all probes: some tens of milliseconds.</summary>
    /// <param name="hypervisor">The backend; what it declares does not matter but for its CPU profiles.</param>
    public static HostLimits Measure(IHypervisor hypervisor)
    {
        ImmutableArray<ProbeResult>.Builder results = ImmutableArray.CreateBuilder<ProbeResult>();
        double speed = 0;
        IEnumerable<IGrouping<(CpuProfile? Profile, LocalApicMode LocalApic), LimitProbe>> groups =
            ProbeCatalog.All.GroupBy(probe => (probe.Profile, probe.LocalApic));
        foreach (IGrouping<(CpuProfile? Profile, LocalApicMode LocalApic), LimitProbe> group in groups)
        {
            if (group.Key.Profile is { } profile && !hypervisor.Capabilities.CpuProfiles.Contains(profile.Name))
                continue;
            if (!Has(hypervisor.Capabilities, group.Key.LocalApic))
                continue;
            ProbeGuest? guest = null;
            try
            {
                foreach (LimitProbe probe in group)
                {
                    if (probe.HostPoint is not null && !hypervisor.Capabilities.Has(Capability.Breakpoints))
                        continue;
                    guest ??= new ProbeGuest(hypervisor, group.Key.Profile, group.Key.LocalApic);
                    ProbeResult result = guest.Run(probe);
                    results.Add(result);
                    if (result.Holds)
                        continue;
                    guest.Dispose();
                    guest = null;
                }
                if (group.Key == default)
                    speed = SpeedProbe.Measure(guest ??= new ProbeGuest(hypervisor));
            }
            finally
            {
                guest?.Dispose();
            }
        }
        return new HostLimits(results.ToImmutable(), speed);
    }

    private static bool Has(HypervisorCapabilities capabilities, LocalApicMode localApic) => localApic switch
    {
        LocalApicMode.None => true,
        LocalApicMode.X2Apic => capabilities.Has(Capability.X2Apic) && capabilities.Has(Capability.MultipleProcessors),
        _ => capabilities.Has(Capability.LocalApic) && capabilities.Has(Capability.MultipleProcessors),
    };

    private ImmutableArray<Quirk> Collect()
    {
        ImmutableArray<Quirk>.Builder quirks = ImmutableArray.CreateBuilder<Quirk>();
        foreach (IGrouping<string, ProbeResult> lost in Results.Where(result => !result.Holds).GroupBy(result => result.Probe.Quirk.Name))
            quirks.Add(lost.First().Probe.Quirk with { Evidence = [.. lost.Select(result => result.Evidence)] });
        if (InstructionsPerSecond < SpeedProbe.Slow)
        {
            string observed = string.Create(CultureInfo.InvariantCulture, $"{InstructionsPerSecond / 1_000_000:0.00} million");
            LimitProbe probe = SpeedProbe.Probe;
            quirks.Add(probe.Quirk with
            {
                Evidence = [new QuirkEvidence(probe.Name, ImmutableArray.Create(probe.Code), "at least 5 million instructions a second", observed)],
            });
        }
        return quirks.ToImmutable();
    }
}
