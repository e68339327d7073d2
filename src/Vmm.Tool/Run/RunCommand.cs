using System.CommandLine;
using System.Globalization;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary><c>vmm run</c>: its options and what they mean.</summary>
internal static class RunCommand
{
    private static readonly Option<string> Backend =
        Text("--backend", "NAME", "auto", "auto, emulator, kvm, whp or whp-simulator; with options: NAME:key=value,...");

    private static readonly Option<string> Memory = Text("--memory", "SIZE", "256M", "Guest memory, such as 256M.");
    private static readonly Option<string> Cpus = Text("--cpus", "N", "1", "Number of virtual processors.");
    private static readonly Option<string?> Kernel =
        Optional("--kernel", "FILE", "A Linux bzImage, a PVH ELF or a multiboot image, told apart by their own headers.");

    private static readonly Option<string?> Initrd =
        Optional("--initrd", "FILE", "Initial RAM disk, or the module of a multiboot or PVH kernel.");

    private static readonly Option<string?> Append = Optional("--append", "TEXT", "Kernel command line.");
    private static readonly Option<string?> Elf =
        Optional("--elf", "FILE", "An ELF image, run at its entry point: 64-bit in long mode, 32-bit in flat protected mode.");

    private static readonly Option<string?> Flat = Optional(
        "--flat", "FILE@ADDRESS[:ENTRY]", "A flat image at an address, entered in real mode below 1 MiB, else in flat 32-bit mode.");

    private static readonly Option<string?> Firmware =
        Optional("--firmware", "FILE", "A firmware ROM such as SeaBIOS: 64 KiB to 16 MiB, ending at 4 GiB, where processors start.");

    private static readonly Option<string[]> FirmwareFile = new("--firmware-file")
    {
        Description = "A file for the firmware, e.g. vgaroms/vga.bin=FILE; may be given several times.",
        HelpName = "NAME=FILE",
    };

    private static readonly Option<string?> DebugConsole =
        Optional("--debug-console", "stderr|file:PATH", "Where the firmware's debug output (port 0x402) goes; nowhere without this option.");

    private static readonly Option<string[]> Disk = new("--disk")
    {
        Description = "A raw disk image as a virtio disk; may be given several times.",
        HelpName = "FILE[,readonly]",
    };

    private static readonly Option<string?> Network = Optional(
        "--network", "user[,RULE]...",
        "A virtio network card. RULE: to-host:tcp|udp:PORT:HOSTPORT forwards 10.0.2.2:PORT to the host's 127.0.0.1:HOSTPORT; "
        + "to-guest:tcp:HOSTPORT:PORT forwards the host's 127.0.0.1:HOSTPORT to the guest's PORT. Nothing else can be reached.");

    private static readonly Option<string> Virtio =
        Text("--virtio", "pci|mmio", "pci", "How the guest finds virtio devices: as PCI functions, or as memory-mapped devices listed by ACPI.");

    private static readonly Option<string> Cpu = Text("--cpu", "v1|v2|v3", "v1", "CPU profile.");
    private static readonly Option<string?> Slat =
        Optional("--slat", "ept|npt|none", "Nested page table format: ept, npt or none (flat, for measuring).");

    private static readonly Option<string> Serial =
        Text("--serial", "stdio|none|file:PATH", "stdio", "Where the first serial port goes.");

    private static readonly Option<string?> DebugExit = Optional(
        "--debug-exit", "PORT", "Port of a debug-exit device: a byte v written there ends the run with status ((v & 0x7F) << 1) | 1.");

    private static readonly Option<string?> Timeout = Optional("--timeout", "SECONDS", "Give up after this many seconds, with status 124.");
    private static readonly Option<string?> Save = Optional(
        "--save", "FILE", "Save the machine there when Ctrl-A X, --timeout or SIGTERM ends the run (with status 0); Ctrl-A S saves and goes on.");

    private static readonly Option<string?> Restore =
        Optional("--restore", "FILE", "Go on with a saved machine: memory, processors and CPU profile come from the file; give the same devices as before.");

    private static readonly Option<bool> AllowSuperset = new("--allow-superset-cpuid")
    {
        Description = "With --restore: accept a backend that shows the guest more CPU features than before.",
    };

    private static readonly Option<bool> AllowClocks = new("--allow-other-clocks")
    {
        Description = "With --restore: accept a backend whose clocks have another frequency; the guest then measures time wrongly.",
    };

    private static readonly Option<string?> Record = Optional(
        "--record", "FILE", "Record everything that reaches the guest from outside (devices, input, network, time), so that --replay can repeat the run.");
    private static readonly Option<string?> Replay = Optional(
        "--replay", "FILE", "Repeat a recorded run to the instruction, without devices; code, memory and processors come from the recording.");
    private static readonly Option<bool> Deterministic = new("--deterministic")
    {
        Description = "Count time in instructions and let processors take turns, so that the run repeats exactly; the guest's calendar begins on 2026-01-01.",
    };

    private static readonly Option<string?> Stats = new("--stats")
    {
        Description = "Print counters at the end; --stats=json:PATH writes them to a file.",
        Arity = ArgumentArity.ZeroOrOne,
        HelpName = "json:PATH",
    };

    private static readonly Option<string?> Gdb = Optional(
        "--gdb", "[ADDRESS:]PORT", "Let gdb connect there, by default on 127.0.0.1; the guest waits at its first instruction until gdb continues it. Port 0 takes a free port.");

    private static readonly Option<string?> Lockstep = Optional(
        "--lockstep", "NAME",
        "Run the guest on this backend too and compare exits, state and memory; the first difference is traced to its instruction and ends the run.");

    public static Command Create(StandardStreams streams)
    {
        Command command = new("run", """
            Runs a guest until it powers off, resets, or ends through the debug-exit port. Its first serial port is standard input and
            output; vmm's own messages go to standard error.
            Exit status: 0 powered off or reset, odd for the debug-exit port, 2 wrong usage or unreadable input, 4 backend unavailable,
            6 triple fault or processor failure, 8 halted with nothing able to wake it, 10 a replay or lock-step that
            diverged, 124 timeout, 70 a bug in vmm itself.
            """);
        Option[] options =
        [
            Backend, Memory, Cpus, Kernel, Initrd, Append, Elf, Flat, Firmware, FirmwareFile, Disk, Network, Virtio, Cpu, Slat, Serial,
            DebugConsole, DebugExit, Timeout, Save, Restore, AllowSuperset, AllowClocks, Record, Replay, Lockstep, Deterministic, Gdb, Stats,
        ];
        foreach (Option option in options)
            command.Add(option);
        command.SetAction(parsed => GuestRun.Execute(Read(parsed), streams));
        return command;
    }

    private static RunSettings Read(ParseResult parsed)
    {
        string? kernel = parsed.GetValue(Kernel), elf = parsed.GetValue(Elf), flat = parsed.GetValue(Flat);
        string? firmware = parsed.GetValue(Firmware), debugConsole = parsed.GetValue(DebugConsole);
        string[] firmwareFiles = parsed.GetValue(FirmwareFile) ?? [];
        string? restore = parsed.GetValue(Restore);
        RestoreOptions restoreOptions = new() { AllowSupersetCpuid = parsed.GetValue(AllowSuperset), AllowOtherClocks = parsed.GetValue(AllowClocks) };
        if (restore is not null)
            CheckRestore(parsed);
        else if (restoreOptions != new RestoreOptions())
            throw new UsageException($"{AllowSuperset.Name} and {AllowClocks.Name} need --restore.");
        string? replay = parsed.GetValue(Replay);
        if (replay is not null)
            CheckReplay(parsed);
        int sources = (kernel is null ? 0 : 1) + (elf is null ? 0 : 1) + (flat is null ? 0 : 1) + (firmware is null ? 0 : 1);
        // A kernel may be given to firmware.
        if (restore is null && replay is null && sources != 1 && !(sources == 2 && firmware is not null && kernel is not null))
            throw new UsageException("Name what to run with exactly one of --kernel, --elf, --flat, --firmware, --restore and --replay.");
        if (firmware is null && (debugConsole is not null || firmwareFiles.Length > 0))
            throw new UsageException("--debug-console and --firmware-file need --firmware.");
        if (kernel is null && (parsed.GetValue(Initrd) is not null || parsed.GetValue(Append) is not null))
            throw new UsageException("--initrd and --append need --kernel.");
        if (parsed.GetValue(Gdb) is not null && parsed.GetValue(Deterministic))
            throw new UsageException("--gdb does not go with --deterministic: those processors take turns on one thread and cannot be held one by one.");
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
            Firmware = firmware,
            FirmwareFiles = [.. firmwareFiles.Select(FirmwareFileSource.Parse)],
            DebugConsole = debugConsole,
            Disks = [.. (parsed.GetValue(Disk) ?? []).Select(DiskSource.Parse)],
            Network = parsed.GetValue(Network) is { } network ? NetworkRules.Parse(network) : null,
            VirtioTransport = parsed.GetValue(Virtio) switch
            {
                "pci" => VirtioTransportKind.Pci,
                "mmio" => VirtioTransportKind.MemoryMapped,
                string other => throw new UsageException($"--virtio '{other}' must be pci or mmio."),
                null => throw new UsageException("--virtio must be pci or mmio."),
            },
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
            DebugExitPort = ParsePort(parsed.GetValue(DebugExit)),
            Timeout = parsed.GetValue(Timeout) is { } seconds ? ParseSeconds(seconds) : null,
            Deterministic = parsed.GetValue(Deterministic) ? new DeterministicOptions() : null,
            Save = parsed.GetValue(Save),
            Restore = restore,
            RestoreOptions = restoreOptions,
            Debugger = parsed.GetValue(Gdb) is { } debugger ? DebuggerAttachment.Parse(debugger) : null,
            Record = parsed.GetValue(Record),
            Lockstep = ParseLockstep(parsed),
            Replay = replay,
            Statistics = parsed.GetResult(Stats) is null ? null : ParseStatistics(parsed.GetValue(Stats)),
        };
    }

    // What the saved machine says itself is not said twice. Firmware alone is given again: its ROM is not part of it.
    private static void CheckRestore(ParseResult parsed)
    {
        foreach (Option option in (Option[])[Kernel, Initrd, Append, Elf, Flat, Memory, Cpus, Cpu])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} does not go with --restore: the saved machine says it.");
        }
    }

    // A replay has no devices and takes nothing from outside: only where it runs, and where its output goes, can be said.
    private static void CheckReplay(ParseResult parsed)
    {
        Option[] allowed = [Replay, Backend, Slat, Serial, Timeout, Stats];
        foreach (Option option in parsed.CommandResult.Command.Options.Except(allowed))
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} does not go with --replay: the recording says what is run.");
        }
    }

    // Nobody else drives a guest that two backends run.
    private static string? ParseLockstep(ParseResult parsed)
    {
        if (parsed.GetValue(Lockstep) is not { } lockstep)
            return null;
        foreach (Option option in (Option[])[Record, Gdb, Network])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} does not go with --lockstep.");
        }
        return lockstep;
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

    private static ushort? ParsePort(string? text) =>
        text is null ? null : (ushort)MemorySize.ParseNumber(text, ushort.MaxValue, "--debug-exit");

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

    private static Option<string> Text(string name, string value, string standard, string description) =>
        new(name) { Description = description, HelpName = value, DefaultValueFactory = _ => standard };

    private static Option<string?> Optional(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value };
}
