using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Vmm.Emulator.Tests.Hostile;

/// <summary>
/// Guests that mean harm: whatever they do, nothing throws through a run, hangs, grows or leaves its memory. <c>VMM_HOSTILE_COUNT</c> and
/// <c>VMM_HOSTILE_SEED</c> choose how many and which; guest n has the seed + n, so one guest is repeated with its own seed and a count of
/// 1.
/// <c>VMM_HOSTILE_TRACE</c> names a file that holds the number of the guest that runs.
/// </summary>
public sealed class HostileGuestTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private string _current = string.Empty;
    private long _started;
    private readonly List<string> _failures = [];
    private ulong _retired;

    [Fact]
    public void Nothing_that_a_guest_does_throws_hangs_grows_or_escapes()
    {
        int first = Number("VMM_HOSTILE_SEED", 20_261_122), count = Number("VMM_HOSTILE_COUNT", 200);
        ulong[] exits = new ulong[(int)ExitKind.Failed + 1];
        long before = 0, after = 0;
        _started = Stopwatch.GetTimestamp();
        Thread worker = new(() =>
        {
            for (int n = 0; n < count && _failures.Count < 10; n++)
            {
                if (n == Math.Min(count / 2, 100))
                    before = Environment.WorkingSet;
                try
                {
                    RunOne(first + n, exits);
                }
                catch (Exception e)
                {
                    _failures.Add($"{_current}: {e}");
                }
            }
            after = Environment.WorkingSet;
        }) { IsBackground = true, Name = "hostile guests" };
        worker.Start();
        while (!worker.Join(200))
        {
            TimeSpan since = Stopwatch.GetElapsedTime(Volatile.Read(ref _started));
            if (since > s_patience)
                Assert.Fail($"{_current}: has been running for {since.TotalSeconds:F1} s");
        }
        output.WriteLine($"VMM_HOSTILE_SEED={first} VMM_HOSTILE_COUNT={count}: {_retired} instructions; "
            + string.Join(", ", Enumerable.Range(0, exits.Length).Where(kind => exits[kind] != 0).Select(kind =>
                $"{(ExitKind)kind} {exits[kind]}")));
        if (_failures.Count != 0)
            Assert.Fail(string.Join("\n\n", _failures));
        exits[(int)ExitKind.Failed].Should().Be(0);
        foreach (ExitKind kind in (ExitKind[])[ExitKind.PortIo, ExitKind.Mmio, ExitKind.SlatViolation, ExitKind.Halt, ExitKind.Exception,
            ExitKind.Cpuid, ExitKind.Msr])
            exits[(int)kind].Should().BePositive($"the guests should get to {kind}, else they test little");
        (after - before).Should().BeLessThan(256L << 20, "guests come and go, memory must not stay");
    }

    private void RunOne(int seed, ulong[] exits)
    {
        _current = $"seed {seed}";
        Volatile.Write(ref _started, Stopwatch.GetTimestamp());
        if (Environment.GetEnvironmentVariable("VMM_HOSTILE_TRACE") is { Length: > 0 } trace)
            File.WriteAllText(trace, _current);
        using HostileGuest guest = new(seed);
        _current = guest.Description;
        guest.Run();
        _retired += guest.Retired;
        for (int kind = 0; kind < exits.Length; kind++)
            exits[kind] += guest.Exits[kind];
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
