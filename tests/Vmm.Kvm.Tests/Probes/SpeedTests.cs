using Vmm.Kvm.Probes;
using Xunit.Abstractions;

namespace Vmm.Kvm.Tests.Probes;

/// <summary>User code runs on the processor itself, whatever becomes of level 0.</summary>
public sealed class SpeedTests(ITestOutputHelper output)
{
    // Far above what any interpreter does, far below any processor.
    private const double Native = 300_000_000;

    [SkippableFact]
    public void User_code_of_64_bit_mode_runs_natively()
    {
        using ProbeGuest guest = new(KvmHost.Create());
        double speed = SpeedProbe.Measure(guest, SpeedProbe.Probe with { Mode = ProbeMode.LongUser }, Native);
        output.WriteLine($"{speed / 1e6:0} million instructions a second");
        speed.Should().BeGreaterThan(Native);
    }
}
