using System.Globalization;
using Vmm.Differential.Running;
using Xunit.Abstractions;

namespace Vmm.Differential.Tests;

/// <summary>
/// Oracle: the host's processor. 200,000 cases; VMM_DIFFERENTIAL_SEED repeats a run, VMM_DIFFERENTIAL_CASES makes it longer. The command
/// <c>dotnet run --project tests/Vmm.Differential -c Release -- --cases 10000000 --seed N</c> does the same at length.
/// </summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Cases_end_as_on_the_host()
    {
        Host.Require();
        RunOptions options = new((ulong)Number("VMM_DIFFERENTIAL_SEED", Environment.TickCount64), Number("VMM_DIFFERENTIAL_CASES", 200_000))
        {
            KeptDifferences = 5,
        };
        output.WriteLine($"seed {options.Seed}");
        RunReport report = DifferentialRun.Run(options);
        output.WriteLine(report.Describe());
        report.DifferenceCount.Should().Be(0, "seed {0}:\n{1}", options.Seed, report.Describe());
        report.Cases.Should().Be(options.Cases);
        report.Faults.Should().BeInRange(report.Cases / 20, report.Cases / 3,
            "memory faults, divide errors and wrong opcodes are to be compared too");
        report.Hung.Should().Be(0);
    }

    private static long Number(string name, long otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
