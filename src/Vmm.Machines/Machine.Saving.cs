using System.Collections.Immutable;
using System.Diagnostics;
using Vmm.Devices;

namespace Vmm.Machines;

public sealed partial class Machine
{
    // Elements of a restored guest that this library does not know, by processor: they go back into the next save.
    private ImmutableArray<ImmutableArray<ElementState>> _preserved = [];
    // What a restored guest was promised where it started: it needs no more wherever it goes next.
    private CpuProfile? _promised;
    private bool _isTimeHeld;
    private bool _isTimeSuspended;

    /// <summary>
    /// The devices whose state is saved. A client that adds devices to the buses adds them here too: in
    /// <see cref="MachineOptions.AddDevices"/>, so that a machine that is restored has them in time.
    /// </summary>
    public SaveableDevices Saveable { get; } = new();

    /// <summary>
    /// Saves the whole machine, except the content of disks, to a file. The file appears under its name only when it is complete. The
    /// machine may run on afterwards.
    /// </summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Gives up; the file is left as it was.</param>
    /// <exception cref="InvalidOperationException">The machine is running, or has ended other than by cancellation.</exception>
    /// <exception cref="NotSupportedException">A device on a bus cannot be saved; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, IProgress<SaveProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                Save(file, progress, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As the other one, to a stream, front to back.</summary>
    /// <param name="stream">Where to; stays open.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public void Save(Stream stream, IProgress<SaveProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        lock (_gate)
        {
            RequireRest();
            RequireSaveable();
            using Activity? activity = MachineActivities.Save(Partition.Capabilities.Backend, MemoryMap.Size);
            long started = Stopwatch.GetTimestamp();
            HoldTime();
            try
            {
                FinishInstructions();
                Write(stream, progress, cancellationToken);
                MachineLog.Saved(_logger, MemoryMap.Size, Stopwatch.GetElapsedTime(started));
            }
            catch (Exception exception)
            {
                activity.Fail(exception);
                throw;
            }
            finally
            {
                LetTimeGo();
            }
        }
    }

    /// <summary>
    /// Makes a machine that goes on where a saved one stopped; it runs with the next <see cref="Run"/>, and its time with it.
    /// </summary>
    /// <param name="hypervisor">The backend; it need not be the one that the machine was saved on.</param>
    /// <param name="saved">The saved machine; read to its end.</param>
    /// <param name="options">
    /// What the machine is made of: <see cref="SavedMachineDescription.ToOptions"/> of the description. Devices must be the same, in number
    /// and kind; nested-table format, host files and streams are free.
    /// </param>
    /// <param name="restoreOptions">How strict to be; null = strict.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <exception cref="SavedStateException">The saved machine is damaged, or cannot be had here; the message names why.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="NotSupportedException">The backend cannot do what an option asks for.</exception>
    public static Machine Restore(
        IHypervisor hypervisor, SavedMachine saved, MachineOptions options, RestoreOptions? restoreOptions = null, IProgress<SaveProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(saved);
        ArgumentNullException.ThrowIfNull(options);
        if (options.MemorySize != saved.Description.MemorySize)
        {
            throw new SavedStateException(
                $"The saved machine has {saved.Description.MemorySize} bytes of RAM, this one {options.MemorySize}. Take the options from SavedMachineDescription.ToOptions.");
        }
        uint? firmware = options.Firmware is { } image ? SavedMachineFormat.Checksum(image.Content.Span) : null;
        if (firmware != saved.Description.FirmwareChecksum)
        {
            throw new SavedStateException((firmware, saved.Description.FirmwareChecksum) switch
            {
                (null, { } there) => $"The saved machine has firmware with the CRC-32C 0x{there:X8}; this one has none. Give it the same image.",
                ({ } here, null) => $"The saved machine has no firmware; this one has some with the CRC-32C 0x{here:X8}. Leave it out.",
                _ => $"The saved machine has firmware with the CRC-32C 0x{saved.Description.FirmwareChecksum:X8}, this one with 0x{firmware:X8}. Give it the same image.",
            });
        }
        using Activity? activity = MachineActivities.Restore(hypervisor.Name, options.MemorySize);
        long started = Stopwatch.GetTimestamp();
        Machine? machine = null;
        try
        {
            machine = new Machine(hypervisor, options with { Image = null }, isRestoring: true);
            machine.HoldTime();
            machine.Load(saved, restoreOptions ?? new(), progress);
            MachineLog.Restored(machine._logger, options.MemorySize, Stopwatch.GetElapsedTime(started));
            return machine;
        }
        catch (Exception exception)
        {
            activity.Fail(exception);
            machine?.Dispose();
            throw;
        }
    }

    private void Load(SavedMachine saved, RestoreOptions options, IProgress<SaveProgress>? progress)
    {
        if (_firmware is not null)
            Clear(_memory);
        (ImmutableArray<ProcessorSnapshot> processors, ImmutableArray<DeviceState> devices) = saved.ReadState(_memory, progress);
        if (Clock is IAdjustableClock clock)
            clock.SetTime(saved.Description.Time);
        Saveable.Apply(devices, Clock.Nanoseconds);
        _promised = saved.Description.CpuProfile;
        _preserved = new PartitionSnapshot(saved.Description.CpuProfile, saved.Description.LocalApic, processors).Apply(Partition, options);
    }

    private void Write(Stream stream, IProgress<SaveProgress>? progress, CancellationToken cancellationToken)
    {
        PartitionSnapshot partition = PartitionSnapshot.Capture(Partition, _promised);
        long now = Clock.Nanoseconds;
        ImmutableArray<DeviceState> devices = Saveable.Capture(now);
        SavedMachineDescription description = new()
        {
            MemorySize = MemoryMap.Size,
            ProcessorCount = Partition.Processors.Count,
            LocalApic = partition.LocalApic,
            CpuProfile = partition.Profile,
            Time = now,
            FirmwareChecksum = _firmware?.Checksum,
        };
        ChunkWriter chunks = new(stream);
        StateWriter writer = new();
        description.WriteTo(writer);
        chunks.Write(ChunkKind.Machine, writer.Written);
        for (int index = 0; index < partition.Processors.Length; index++)
        {
            writer.Clear();
            StateCodec.Write(writer, partition.Processors[index].Elements.Concat(index < _preserved.Length ? _preserved[index] : []));
            chunks.Write(ChunkKind.Processor, writer.Written);
        }
        foreach (DeviceState device in devices)
        {
            writer.Clear();
            StateCodec.Write(writer, device);
            chunks.Write(ChunkKind.Device, writer.Written);
        }
        MemoryPieces.Write(chunks, _memory, progress, cancellationToken);
        chunks.Write(ChunkKind.End, []);
        stream.Flush();
    }

    private void RequireRest()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_run is not null)
            throw new InvalidOperationException("The machine is running: cancel its run first.");
        if (!_canRun)
            throw new InvalidOperationException("The machine's run has ended: there is nothing to go on with.");
    }

    // A device whose state would be lost must not be passed over in silence.
    private void RequireSaveable()
    {
        foreach (PortRange range in Ports.Ranges)
        {
            if (!IsSaved(range.Device))
                throw new NotSupportedException($"The device {range} cannot be saved.");
        }
        foreach (MmioRange range in Mmio.Ranges)
        {
            if (!IsSaved(range.Device) && !Pci.Bus.Functions.Any(function => function.Bars.Any(bar => ReferenceEquals(bar.Target, range.Device))))
                throw new NotSupportedException($"The device {range} cannot be saved.");
        }
    }

    private bool IsSaved(object device) =>
        Saveable.Contains(device) || (device is ISaveableDevice stateless && DeviceStateExchange.Save("", stateless, Clock.Nanoseconds).Values.IsEmpty);

    // An access that a processor left unfinished is finished, and so are its further ones; what else comes up is reported by the next run.
    private void FinishInstructions()
    {
        foreach (IVirtualProcessor processor in Partition.Processors)
        {
            VirtualProcessorLoop loop = new(processor, Ports, Mmio) { ViolatingWrite = ViolatingWrite };
            if (!loop.TryFinishPending(out VpExit unhandled))
                throw new InvalidOperationException($"Processor {processor.Index} cannot be saved now: it waits for the answer to {unhandled}.");
        }
    }

    private static void Clear(GuestMemory memory)
    {
        for (ulong offset = 0; offset < memory.Length; offset += SavedMachineFormat.PieceSize)
            memory.GetSpan(offset, (int)Math.Min(SavedMachineFormat.PieceSize, memory.Length - offset)).Clear();
    }

    /// <summary>Stops the time of the devices and of the partition.</summary>
    /// <remarks>
    /// Both at the same moment, or a guest that compares two of its clocks finds one wrong: compiling the methods at their first call would
    /// take most of a millisecond between the two, so they are called beforehand.
    /// </remarks>
    private void StopClocks()
    {
        using (SystemClock practice = new())
        {
            ((IAdjustableClock)practice).Suspend();
            ((IAdjustableClock)practice).Resume();
        }
        bool hasTimeControl = Partition.Capabilities.Has(Capability.TimeControl);
        IAdjustableClock? clock = Clock as IAdjustableClock;
        if (hasTimeControl)
            Partition.SuspendTime();
        clock?.Suspend();
    }

    // In the order in which they were stopped: what lies between the two then cancels out.
    private void StartClocks()
    {
        bool hasTimeControl = Partition.Capabilities.Has(Capability.TimeControl);
        IAdjustableClock? clock = Clock as IAdjustableClock;
        if (hasTimeControl)
            Partition.ResumeTime();
        clock?.Resume();
    }

    // For a saved machine, from before it is saved or restored until it runs. A client may have stopped the time as well.
    private void HoldTime()
    {
        if (!_isTimeHeld && !_isTimeSuspended)
            StopClocks();
        _isTimeHeld = true;
    }

    private void LetTimeGo()
    {
        if (_isTimeHeld && !_isTimeSuspended)
            StartClocks();
        _isTimeHeld = false;
    }

    private void AddSaveable()
    {
        Saveable.Add("pic", Interrupts.Pic);
        if (Interrupts.IoApic is { } ioApic)
            Saveable.Add("io-apic", ioApic);
        Saveable.Add("interrupt-router", Interrupts);
        Saveable.Add("pit", Timer);
        Saveable.Add("rtc", RealTimeClock);
        Saveable.Add("serial-0", Serial);
        Saveable.Add("display", Display);
        Saveable.Add("pci", Pci.Bus);
        if (PowerManagement is { } powerManagement)
            Saveable.Add("power-management", powerManagement);
        foreach ((string name, ISaveableDevice device) in _virtio.Saveable)
            Saveable.Add(name, device);
        _firmware?.AddSaveable(Saveable);
    }
}
