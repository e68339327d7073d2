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
        Stopwatch clock = Stopwatch.StartNew();
        HostLimits limits = HostLimits.Measure(KvmHost.Create("assist=off"));
        Print(limits, clock);
        clock.Restart();
        HostLimits assisted = HostLimits.Measure(KvmHost.Create("assist=on"));
        Print(assisted, clock);
        assisted.Quirks.Should().HaveCountLessThanOrEqualTo(limits.Quirks.Length);
    }

    private void Print(HostLimits limits, Stopwatch clock)
    {
        output.WriteLine($"{clock.ElapsedMilliseconds} ms, {limits.InstructionsPerSecond / 1e6:0.00} MIPS");
        foreach (var result in limits.Results)
            output.WriteLine(result.ToString());
    }
}
