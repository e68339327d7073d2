using System.Globalization;
using Vmm.Differential.Native;
using Vmm.Differential.Running;

namespace Vmm.Differential;

/// <summary>
/// The command: <c>--cases N --seed S [--first K] [--filter CODE] [--workers W] [--keep D]</c>, or <c>--seed S --case K</c> to look at one.
/// Exit status: 0 no difference, 1 differences, 2 wrong usage, 4 the host cannot be the oracle.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        RunOptions options = new((ulong)Environment.TickCount64, 20_000);
        ulong? single = null;
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            bool isNumber = ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
                && number <= long.MaxValue;
            switch (arguments[i])
            {
                case "--filter" when value.Length != 0:
                    options = options with { Filter = value };
                    continue;
                case "--seed" when isNumber:
                    options = options with { Seed = number };
                    continue;
                case "--cases" when isNumber:
                    options = options with { Cases = (long)number };
                    continue;
                case "--first" when isNumber:
                    options = options with { First = (long)number };
                    continue;
                case "--workers" when isNumber && number is > 0 and <= 64:
                    options = options with { Workers = (int)number };
                    continue;
                case "--keep" when isNumber && number <= 10_000:
                    options = options with { KeptDifferences = (int)number };
                    continue;
                case "--case" when isNumber:
                    single = number;
                    continue;
                default:
                    Console.Error.WriteLine(
                        $"'{arguments[i]} {value}' is not understood; usage: "
                        + "--cases N --seed S [--first K] [--filter CODE] [--workers W] [--keep D] [--case K]");
                    return 2;
            }
        }

        if (NativeHost.Unsuitable is string reason)
        {
            Console.Error.WriteLine($"The host cannot be the oracle: {reason}");
            return 4;
        }

        try
        {
            if (single is ulong one)
            {
                Console.WriteLine(DifferentialRun.Explain(options, one));
                return 0;
            }

            Console.WriteLine($"seed {options.Seed}");
            RunReport report = DifferentialRun.Run(options, done => Console.Error.WriteLine($"{done} cases"));
            Console.Write(report.Describe());
            return report.DifferenceCount == 0 ? 0 : 1;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }
}
