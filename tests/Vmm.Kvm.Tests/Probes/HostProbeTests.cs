using System.Diagnostics;
using Vmm.Kvm.Probes;
using Xunit.Abstractions;

namespace Vmm.Kvm.Tests.Probes;

/// <summary>The probes on this host's KVM.</summary>
public sealed class HostProbeTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Every_probe_comes_to_an_end_and_what_is_lost_is_said()
    {
        KvmProvider provider = new();
        ProbeResultOf(provider);
        Stopwatch clock = Stopwatch.StartNew();
        HostLimits limits = HostLimits.Measure(provider.Create(HypervisorOptions.Parse("assist=off")));
        Print(limits, clock);
        clock.Restart();
        HostLimits assisted = HostLimits.Measure(provider.Create(HypervisorOptions.Parse("assist=on")));
        Print(assisted, clock);
        assisted.Quirks.Should().HaveCountLessThanOrEqualTo(limits.Quirks.Length);
    }

    private void Print(HostLimits limits, Stopwatch clock)
    {
        output.WriteLine($"{clock.ElapsedMilliseconds} ms, {limits.InstructionsPerSecond / 1e6:0.00} MIPS");
        foreach (var result in limits.Results)
            output.WriteLine(result.ToString());
    }

    private static void ProbeResultOf(KvmProvider provider)
    {
        Vmm.ProbeResult result = provider.Probe();
        if (!result.IsAvailable)
            OutsideTool.Missing("kvm", $"{result.Reason}; {result.Fix}");
    }
}
