using System.Diagnostics;
using Vmm.Tool;

namespace Vmm.Hostile.Files;

/// <summary>
/// Gives damaged files to <c>vmm run</c>, one after another in this process. Whatever they hold, the command ends soon, with a documented
/// status and without a stack trace. File n has the seed first + n.
/// </summary>
public sealed class HostileFileRun(int first, int count)
{
    private const int MostFailures = 10;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly List<string> _failures = [];

    /// <summary>Files by the status they ended with.</summary>
    public SortedDictionary<int, int> Statuses { get; } = [];

    /// <summary>What broke, each with seed and kind. The run ends after ten.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>Growth of resident memory in bytes from the hundredth file, or the middle one of fewer, to the last.</summary>
    public long Growth { get; private set; }

    /// <summary>Called before each file, with its seed.</summary>
    public Action<int>? Starting { get; init; }

    /// <summary>Runs them all.</summary>
    public void Run()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vmm-hostile-");
        try
        {
            string kernel = Path.Combine(folder.FullName, "kernel");
            File.WriteAllBytes(kernel, HostileFile.Build("linux"));
            byte[] saved = SaveMachine(folder.FullName);
            long before = 0;
            for (int n = 0; n < count && _failures.Count < MostFailures; n++)
            {
                if (n == Math.Min(count / 2, 100))
                    before = ResidentMemory.Measure();
                Starting?.Invoke(first + n);
                RunOne(first + n, Path.Combine(folder.FullName, "file"), kernel, saved);
            }
            Growth = ResidentMemory.Measure() - before;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // A guest that does nothing for ever: jmp to itself.
    private static byte[] SaveMachine(string folder)
    {
        string guest = Path.Combine(folder, "guest"), path = Path.Combine(folder, "saved");
        File.WriteAllBytes(guest, [0xEB, 0xFE]);
        using StringWriter text = new(), error = new();
        int status = Tool.Program.Invoke(
            ["run", "--backend", "emulator", "--memory", "24M", "--timeout", "0.05", "--flat", guest + "@0x7c00", "--save", path],
            new StandardStreams(Stream.Null, Stream.Null, text, error, IsTerminal: false));
        return status == ExitStatus.Success
            ? File.ReadAllBytes(path)
            : throw new InvalidOperationException($"Saving a machine ended with {status}: {error}");
    }

    private void RunOne(int seed, string path, string kernel, byte[] saved)
    {
        HostileFile file = new(seed, saved);
        File.WriteAllBytes(path, file.Content);
        using MemoryStream output = new();
        using StringWriter text = new(), error = new();
        long started = Stopwatch.GetTimestamp();
        int status = Tool.Program.Invoke(file.Arguments(path, kernel),
            new StandardStreams(Stream.Null, output, text, error, IsTerminal: false));
        TimeSpan taken = Stopwatch.GetElapsedTime(started);
        Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
        string said = error.ToString();
        if (status is not (ExitStatus.Success or ExitStatus.Usage or ExitStatus.GuestFailed or ExitStatus.AllHalted or ExitStatus.Timeout))
            _failures.Add($"seed {seed} ({file.Kind}) ended with {status}: {said}");
        else if (said.Contains("   at ", StringComparison.Ordinal))
            _failures.Add($"seed {seed} ({file.Kind}) printed a stack trace: {said}");
        else if (taken > s_patience)
            _failures.Add($"seed {seed} ({file.Kind}) took {taken.TotalSeconds:F1} s");
    }
}
