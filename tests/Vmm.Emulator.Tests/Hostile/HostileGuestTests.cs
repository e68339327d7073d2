using System.Globalization;
using Vmm.Hostile;
using Vmm.Hostile.Guests;
using Xunit.Abstractions;

namespace Vmm.Emulator.Tests.Hostile;

/// <summary>
/// Guests that mean harm: whatever they do, nothing throws through a run, hangs, grows or leaves its memory. <c>VMM_HOSTILE_SEED</c>
/// chooses which; tests/Vmm.Hostile runs any number of them as a command.
/// </summary>
public sealed class HostileGuestTests(ITestOutputHelper output)
{
    private const int Count = 600;

    [Fact]
    public void Nothing_that_a_guest_does_throws_hangs_grows_or_escapes()
    {
        int first = Environment.GetEnvironmentVariable("VMM_HOSTILE_SEED") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : 20_261_122;
        HostileRun run = new(first, Count);

        run.Run();

        output.WriteLine($"VMM_HOSTILE_SEED={first}: {run.Instructions} instructions, the longest guest took {run.Longest.TotalSeconds:F2} s, "
            + $"resident memory grew by {run.Growth >> 10} KiB; "
            + string.Join(", ", run.Exits.Select((number, kind) => $"{(ExitKind)kind} {number}")));
        run.Failures.Should().BeEmpty();
        run.Ended.Should().Be(Count);
        run.Exits[(int)ExitKind.Failed].Should().Be(0);
        foreach (ExitKind kind in (ExitKind[])[ExitKind.PortIo, ExitKind.Mmio, ExitKind.SlatViolation, ExitKind.Halt, ExitKind.Exception,
            ExitKind.Cpuid, ExitKind.Msr])
            run.Exits[(int)kind].Should().BePositive($"the guests should get to {kind}, else they test little");
        run.Growth.Should().BeLessThan(ResidentMemory.MostGrowth, "guests come and go, memory must not stay");
    }
}
