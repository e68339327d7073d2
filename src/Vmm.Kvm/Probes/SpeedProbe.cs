using System.Diagnostics;

namespace Vmm.Kvm.Probes;

/// <summary>How fast the host runs privileged code: a loop of two instructions for about 20 ms, again while it seems slow.</summary>
internal static class SpeedProbe
{
    /// <summary>Instructions a second below which no processor can be at work.</summary>
    public const double Slow = 5_000_000;

    private const int Times = 4; // a busy host may keep its processors from us for one of them
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(20);

    public static LimitProbe Probe { get; } = new()
    {
        // xor rcx, rcx; loop: dec rcx; jnz loop; out 0xFD, eax
        Quirk = Quirk.EmulatedProcessor, Name = "speed of a loop, 64-bit mode", Mode = ProbeMode.Long, Expected = default,
        Code = [0x48, 0x31, 0xC9, 0x48, 0xFF, 0xC9, 0x75, 0xFB, 0xE7, 0xFD],
    };

    /// <summary>Instructions a second, the best of a few times; 0 where the loop did not run.</summary>
    public static double Measure(ProbeGuest guest) => Measure(guest, Probe, Slow);

    /// <summary>The same with another form of the loop, while it is slower than something.</summary>
    public static double Measure(ProbeGuest guest, LimitProbe loop, double slow)
    {
        double best = 0;
        for (int time = 0; time < Times && best < slow; time++)
            best = Math.Max(best, MeasureOnce(guest, loop));
        return best;
    }

    private static double MeasureOnce(ProbeGuest guest, LimitProbe loop)
    {
        guest.Prepare(loop);
        Stopwatch clock = Stopwatch.StartNew();
        VpExit exit = guest.RunFor(s_time);
        double seconds = clock.Elapsed.TotalSeconds;
        return exit.Kind == ExitKind.Cancelled ? 2.0 * unchecked(0 - guest.Processor[Register.Rcx]) / seconds : 0;
    }
}
