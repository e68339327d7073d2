using System.Globalization;
using System.Diagnostics;
using Vmm.Devices;
using Vmm.Machines;
using Vmm.Replay;
using Vmm.Tool.Terminals;

namespace Vmm.Tool.Run;

/// <summary>Runs one guest as asked and turns its end into an exit status.</summary>
internal static class GuestRun
{
    public static int Execute(RunSettings settings, StandardStreams streams)
    {
        try
        {
            return settings.Replay is null ? Run(settings, streams) : ReplayRun.Execute(settings, streams);
        }
        catch (IOException e) when (settings.Record is { } file)
        {
            throw new UsageException($"--record {file}: {e.Message}", e);
        }
    }

    private static int Run(RunSettings settings, StandardStreams streams)
    {
        IHypervisor hypervisor = Backends.Create(settings.Backend);
        LockstepHypervisor? lockstep = settings.Lockstep is null ? null : LockstepRun.Create(hypervisor, settings);
        hypervisor = lockstep ?? hypervisor;
        if (LockstepRun.IsCounted(hypervisor) && lockstep is not null && settings.Deterministic is null)
            settings = settings with { Deterministic = new DeterministicOptions() };
        CheckAgainst(hypervisor.Capabilities, settings);
        SavePoint.Check(settings.Save);
        BootImage? image = ReadImage(settings);
        using ConsoleTarget? console = settings.DebugConsole is { } target ? ConsoleTarget.Open(target, streams.Error) : null;
        FirmwareImage? firmware = settings.Firmware is { } file ? ReadFirmware(file, settings, console) : null;
        using RunStatistics? statistics = settings.Statistics is { } path ? RunStatistics.Open(path, streams.Error) : null;
        using SerialTarget serial = SerialTarget.Open(settings.Serial, streams);
        using OpenDisks disks = OpenDisks.Open(settings.Disks);
        using UserNetwork? network = settings.Network is { } ways ? NetworkRules.Open(ways) : null;
        VirtioOptions virtio = new() { Transport = settings.VirtioTransport, Disks = disks.Images, Network = network };
        using RecordingHypervisor? recorder = settings.Record is { } record ? RecordFile.Open(hypervisor, record) : null;
        using Machine machine = Build(recorder ?? hypervisor, settings, image, firmware, serial, virtio, streams);
        using SavePoint end = new(settings, streams);
        using RawTerminal? terminal = serial.IsInteractive ? RawTerminal.TryEnter() : null;
        if (terminal is not null)
            streams.Error.Write($"vmm: the keyboard is the guest's; press Ctrl-A, then X, to leave{(settings.Save is null ? "" : ", or S to save")}.\r\n");
        using SerialInput? input =
            serial.Input is null ? null : new SerialInput(serial.Input, machine, serial.IsInteractive, end.Leave, end.SaveAndGoOn);
        using DebuggerAttachment? debugger = settings.Debugger is { } endPoint ? DebuggerAttachment.Open(endPoint, machine, end.Leave, streams.Error) : null;
        Stopwatch watch = Stopwatch.StartNew();
        MachineOutcome outcome = end.Run(machine);
        watch.Stop();
        terminal?.Dispose();
        statistics?.Write(machine.Partition, machine, watch.Elapsed);
        int status = lockstep is not null && LockstepRun.Report(lockstep, streams.Error) is { } diverged ? diverged
            : outcome.Kind == MachineOutcomeKind.Cancelled && end.TrySave(machine) ? ExitStatus.Success
            : Report(outcome, machine, settings, input is { LeftByUser: true } || debugger is { IsKilled: true }, streams.Error);
        debugger?.Ended(status);
        recorder?.AddNote(RecordFile.StatusNote, status.ToString(CultureInfo.InvariantCulture));
        return status;
    }

    private static Machine Build(
        IHypervisor hypervisor, RunSettings settings, BootImage? image, FirmwareImage? firmware, SerialTarget serial, VirtioOptions virtio, StandardStreams streams)
    {
        try
        {
            MachineOptions options = new()
            {
                Image = image,
                Firmware = firmware,
                MemorySize = settings.Memory,
                ProcessorCount = settings.Processors,
                CpuProfile = CpuProfiles.ByName(settings.CpuProfile),
                SlatFormat = settings.SlatFormat,
                SerialOutput = serial.Write,
                HasSerialInput = serial.Input is not null,
                DebugExitPort = settings.DebugExitPort,
                Deterministic = settings.Deterministic,
                Virtio = virtio,
            };
            return settings.Restore is not null ? SavePoint.Restore(hypervisor, settings, options, streams) : new Machine(hypervisor, options);
        }
        catch (Exception e) when (e is ImageLoadException or ArgumentException or NotSupportedException or HypervisorException)
        {
            throw new UsageException(e.Message, e);
        }
    }

    // Said in the words of the command line, before anything is built.
    private static void CheckAgainst(HypervisorCapabilities capabilities, RunSettings settings)
    {
        if (settings.Processors > capabilities.MaximumProcessors)
        {
            throw new UsageException(
                $"--cpus {settings.Processors}: the {capabilities.Backend} backend gives a machine at most {capabilities.MaximumProcessors}.");
        }
        if (settings.SlatFormat is { } format && !capabilities.SlatFormats.Contains(format))
        {
            string known = string.Join(", ", capabilities.SlatFormats.Select(Words.Of).DefaultIfEmpty("no choice of formats"));
            throw new UsageException($"--slat {Words.Of(format)}: the {capabilities.Backend} backend has {known}.");
        }
        if (settings.Record is not null && !capabilities.Has(Capability.VirtualTime))
            throw new UsageException($"--record: the {capabilities.Backend} backend cannot count time in instructions.");
        if (settings.Deterministic is not null && !capabilities.Has(Capability.VirtualTime))
            throw new UsageException($"--deterministic: the {capabilities.Backend} backend cannot count time in instructions.");
        if (!capabilities.CpuProfiles.Contains(settings.CpuProfile, StringComparer.OrdinalIgnoreCase))
        {
            throw new UsageException(
                $"--cpu {settings.CpuProfile}: the {capabilities.Backend} backend has {string.Join(", ", capabilities.CpuProfiles)}.");
        }
    }

    private static FirmwareImage ReadFirmware(string file, RunSettings settings, ConsoleTarget? console)
    {
        byte[] content = InputFile.Read(file, "--firmware", FirmwareImage.MaximumSize, "the 16 MiB that have room below 4 GiB");
        return new FirmwareImage(content)
        {
            Name = file,
            DebugConsole = console is null ? null : console.Write,
            ScreenOnSerial = settings.Serial != "none",
            Files =
            [
                .. settings.FirmwareFiles.Select(
                    source => new FirmwareFile(source.Name, InputFile.Read(source.File, "--firmware-file", settings.Memory))),
            ],
        };
    }

    private static BootImage? ReadImage(RunSettings settings)
    {
        if (settings.Flat is { } flat)
        {
            byte[] content = InputFile.Read(flat.File, "--flat", settings.Memory);
            return new FlatImage(content, flat.Address) { Entry = flat.Entry, Name = flat.File };
        }
        if (settings.Elf is { } elf)
            return new ElfImage(InputFile.Read(elf, "--elf", settings.Memory)) { Name = elf };
        if (settings.Kernel is not { } kernel)
            return null;
        return new KernelImage(InputFile.Read(kernel, "--kernel", settings.Memory))
        {
            Name = kernel,
            CommandLine = settings.CommandLine ?? "",
            Modules = settings.InitialRamDisk is { } disk ? [ReadModule(disk, settings)] : [],
        };
    }

    private static BootModule ReadModule(string path, RunSettings settings) =>
        new(InputFile.Read(path, "--initrd", settings.Memory), Path.GetFileName(path));

    private static int Report(MachineOutcome outcome, Machine machine, RunSettings settings, bool leftByUser, TextWriter error)
    {
        switch (outcome.Kind)
        {
            case MachineOutcomeKind.PoweredOff:
            case MachineOutcomeKind.Reset:
                return ExitStatus.Success;
            case MachineOutcomeKind.DebugExit:
                return ExitStatus.DebugExit(outcome.Value);
            case MachineOutcomeKind.AllHalted:
                error.WriteLine($"vmm: {outcome}.");
                return ExitStatus.AllHalted;
            case MachineOutcomeKind.Cancelled when leftByUser:
                return ExitStatus.Success;
            case MachineOutcomeKind.Cancelled:
                error.WriteLine($"vmm: the guest did not end within {settings.Timeout?.TotalSeconds} s.");
                return ExitStatus.Timeout;
            default:
                error.WriteLine($"vmm: {outcome}.");
                ProcessorDump.Write(machine.Partition, outcome.Processor, outcome.RecentExits, error);
                return ExitStatus.GuestFailed;
        }
    }
}
