using System.CommandLine;
using System.Globalization;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary><c>vmm run</c>: its options and what they mean.</summary>
internal static class RunCommand
{
    private static readonly Option<string> Backend = Text("--backend", "auto, emulator, or another backend with options as NAME:key=value,...", "auto");
    private static readonly Option<string> Memory = Text("--memory", "Guest memory, such as 256M.", "256M");
    private static readonly Option<string> Cpus = Text("--cpus", "Virtual processors.", "1");
    private static readonly Option<string?> Kernel = Path("--kernel", "A Linux bzImage, a PVH ELF or a multiboot image, told apart by their own headers.");
    private static readonly Option<string?> Initrd = Path("--initrd", "Initial RAM disk, or the module of a multiboot or PVH kernel.");
    private static readonly Option<string?> Append = new("--append") { Description = "Kernel command line.", HelpName = "TEXT" };
    private static readonly Option<string?> Elf = Path("--elf", "An ELF image, run at its entry point: 64-bit in long mode, 32-bit in flat protected mode.");
    private static readonly Option<string?> Flat = new("--flat") { Description = "A flat image at an address, entered in real mode below 1 MiB, else in flat 32-bit mode.", HelpName = "FILE@ADDRESS[:ENTRY]" };
    private static readonly Option<string> Cpu = Text("--cpu", "CPU profile.", "v1");
    private static readonly Option<string?> Slat = new("--slat") { Description = "Nested page table format: ept, npt or none (flat, for measuring).", HelpName = "ept|npt|none" };
    private static readonly Option<string> Serial = Text("--serial", "Where the first serial port goes: stdio, none or file:PATH.", "stdio");
    private static readonly Option<string?> DebugExit = new("--debug-exit") { Description = "Port of a debug-exit device: a byte v written there ends the run with status ((v & 0x7F) << 1) | 1.", HelpName = "PORT" };
    private static readonly Option<string?> Timeout = new("--timeout") { Description = "Give up after this many seconds, with status 124.", HelpName = "SECONDS" };
    private static readonly Option<string?> Stats = new("--stats") { Description = "Print counters at the end; =json:PATH writes them to a file.", Arity = ArgumentArity.ZeroOrOne, HelpName = "json:PATH" };

    // Named by the tool's face, built later: refused with a clear message rather than as unknown.
    private static readonly string[] NotYet = ["--firmware", "--disk", "--gdb", "--save", "--restore", "--record", "--replay", "--lockstep"];

    public static Command Create(StandardStreams streams)
    {
        Command command = new("run", "Runs a guest until it powers off, resets, or ends through the debug-exit port.");
        Option[] options = [Backend, Memory, Cpus, Kernel, Initrd, Append, Elf, Flat, Cpu, Slat, Serial, DebugExit, Timeout, Stats];
        foreach (Option option in options)
            command.Add(option);
        List<Option<string[]>> refused = [];
        foreach (string name in NotYet)
            refused.Add(new Option<string[]>(name) { Hidden = true });
        Option<bool> deterministic = new("--deterministic") { Hidden = true };
        foreach (Option<string[]> option in refused)
            command.Add(option);
        command.Add(deterministic);
        command.SetAction(parsed =>
        {
            foreach (Option<string[]> option in refused)
            {
                if (parsed.GetResult(option) is not null)
                    throw new UsageException($"{option.Name} is not built yet.");
            }
            if (parsed.GetValue(deterministic))
                throw new UsageException("--deterministic is not built yet.");
            return GuestRun.Execute(Read(parsed), streams);
        });
        return command;
    }

    private static RunSettings Read(ParseResult parsed)
    {
        string? kernel = parsed.GetValue(Kernel), elf = parsed.GetValue(Elf), flat = parsed.GetValue(Flat);
        int sources = (kernel is null ? 0 : 1) + (elf is null ? 0 : 1) + (flat is null ? 0 : 1);
        if (sources != 1)
            throw new UsageException("Name what to run with exactly one of --kernel, --elf and --flat.");
        if (kernel is null && (parsed.GetValue(Initrd) is not null || parsed.GetValue(Append) is not null))
            throw new UsageException("--initrd and --append go with --kernel.");
        string serial = parsed.GetValue(Serial)!;
        if (serial is not ("stdio" or "none") && !(serial.StartsWith("file:", StringComparison.Ordinal) && serial.Length > 5))
            throw new UsageException($"--serial '{serial}' must be stdio, none or file:PATH.");
        return new RunSettings
        {
            Backend = parsed.GetValue(Backend)!,
            Memory = ParseMemory(parsed.GetValue(Memory)!),
            Processors = ParseProcessors(parsed.GetValue(Cpus)!),
            Kernel = kernel,
            InitialRamDisk = parsed.GetValue(Initrd),
            CommandLine = parsed.GetValue(Append),
            Elf = elf,
            Flat = flat is null ? null : FlatSource.Parse(flat),
            CpuProfile = parsed.GetValue(Cpu)!,
            SlatFormat = parsed.GetValue(Slat) switch
            {
                null => null,
                "ept" => SlatFormat.Ept,
                "npt" => SlatFormat.Npt,
                "none" => SlatFormat.None,
                string other => throw new UsageException($"--slat '{other}' must be ept, npt or none."),
            },
            Serial = serial,
            DebugExitPort = parsed.GetValue(DebugExit) is { } port ? (ushort)MemorySize.ParseNumber(port, ushort.MaxValue, "--debug-exit") : null,
            Timeout = parsed.GetValue(Timeout) is { } seconds ? ParseSeconds(seconds) : null,
            Statistics = parsed.GetResult(Stats) is null ? null : ParseStatistics(parsed.GetValue(Stats)),
        };
    }

    private static ulong ParseMemory(string text)
    {
        ulong size = MemorySize.Parse(text, "--memory");
        return size is >= MemoryMap.MinimumSize and <= MemoryMap.MaximumSize && size % 4096 == 0
            ? size
            : throw new UsageException($"--memory {text} must be from 1M to 1T, and a multiple of 4K.");
    }

    private static int ParseProcessors(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            ? count
            : throw new UsageException($"--cpus '{text}' must be a whole number above 0.");

    private static TimeSpan ParseSeconds(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e7
            ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"--timeout '{text}' must be a number of seconds above 0.");

    private static string ParseStatistics(string? text) => text switch
    {
        null or "" => "",
        _ when text.StartsWith("json:", StringComparison.Ordinal) && text.Length > 5 => text[5..],
        _ => throw new UsageException($"--stats '{text}' must be plain or json:PATH."),
    };

    private static Option<string> Text(string name, string description, string standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard };

    private static Option<string?> Path(string name, string description) => new(name) { Description = description, HelpName = "FILE" };
}
