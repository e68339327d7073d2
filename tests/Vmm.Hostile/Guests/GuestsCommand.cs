using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Vmm.Hostile.Guests;

/// <summary>The command <c>guests</c>: a long run of hostile guests.</summary>
internal static class GuestsCommand
{
    public static Command Create()
    {
        Option<int> count = new("--count") { Description = "How many guests.", DefaultValueFactory = _ => 10_000 };
        Option<int> seed = new("--seed") { Description = "Seed of the first guest; guest n has this + n.", DefaultValueFactory = _ => 1 };
        Option<bool> trace = new("--trace") { Description = "Name each guest before it runs." };
        Command command = new("guests", "Guests of random and hostile code with a careless client, on the emulator.") { count, seed, trace };
        command.SetAction(parsed => Run(parsed.GetValue(seed), parsed.GetValue(count), parsed.GetValue(trace)));
        return command;
    }

    private static int Run(int first, int count, bool trace)
    {
        long started = Stopwatch.GetTimestamp();
        HostileRun run = new(first, count)
        {
            Starting = seed =>
            {
                if (trace || (seed != first && (seed - first) % 500 == 0))
                    Console.Error.WriteLine($"{seed - first} of {count}, seed {seed}; {ResidentMemory.Measure() >> 20} MiB resident, {GC.GetTotalMemory(true) >> 20} MiB managed");
            },
        };
        run.Run();
        foreach (string failure in run.Failures)
            Console.Error.WriteLine(failure);
        IEnumerable<string> kinds = run.Exits.Select((number, kind) => (number, kind)).Where(exit => exit.number != 0)
            .Select(exit => $"{(ExitKind)exit.kind} {exit.number}");
        bool grew = run.Growth > ResidentMemory.MostGrowth;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{run.Ended} guests from seed {first}, {run.Instructions} instructions, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s; ")
            + string.Create(CultureInfo.InvariantCulture,
            $"the longest took {run.Longest.TotalSeconds:F2} s; resident memory grew by {run.Growth / 1048576.0:F1} MiB"));
        Console.WriteLine(string.Join(", ", kinds));
        Console.WriteLine($"{run.Failures.Count} failures{(grew ? ", and memory grew by more than 64 MiB" : string.Empty)}");
        return run.Failures.Count == 0 && !grew ? 0 : 1;
    }
}
