using System.CommandLine;
using System.Globalization;

namespace Vmm.Hostile.Files;

/// <summary>The command <c>files</c>: a long run of damaged files.</summary>
internal static class FilesCommand
{
    public static Command Create()
    {
        Option<int> count = new("--count") { Description = "How many files.", DefaultValueFactory = _ => 5_000 };
        Option<int> seed = new("--seed") { Description = "Seed of the first file; file n has this + n.", DefaultValueFactory = _ => 1 };
        Command command = new("files", $"Damaged files given to vmm run: {string.Join(", ", HostileFile.Kinds)}.") { count, seed };
        command.SetAction(parsed => Run(parsed.GetValue(seed), parsed.GetValue(count)));
        return command;
    }

    private static int Run(int first, int count)
    {
        HostileFileRun run = new(first, count)
        {
            Starting = seed =>
            {
                if (seed != first && (seed - first) % 500 == 0)
                    Console.Error.WriteLine($"{seed - first} of {count}, seed {seed}");
            },
        };
        run.Run();
        foreach (string failure in run.Failures)
            Console.Error.WriteLine(failure);
        bool grew = run.Growth > ResidentMemory.MostGrowth;
        Console.WriteLine($"{run.Statuses.Values.Sum()} files from seed {first}; "
            + string.Join(", ", run.Statuses.Select(status => $"status {status.Key}: {status.Value}"))
            + string.Create(CultureInfo.InvariantCulture, $"; resident memory grew by {run.Growth / 1048576.0:F1} MiB"));
        Console.WriteLine($"{run.Failures.Count} failures{(grew ? ", and memory grew by more than 64 MiB" : string.Empty)}");
        return run.Failures.Count == 0 && !grew ? 0 : 1;
    }
}
