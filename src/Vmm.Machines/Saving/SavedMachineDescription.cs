namespace Vmm.Machines;

/// <summary>What a saved machine is made of: what a machine that takes its place must be made of too.</summary>
public sealed record SavedMachineDescription
{
    private const ulong SlowestClock = 1_000_000;
    private const ulong FastestClock = 10_000_000_000;

    /// <summary>Bytes of RAM.</summary>
    public required ulong MemorySize { get; init; }

    /// <summary>Number of processors.</summary>
    public required int ProcessorCount { get; init; }

    /// <summary>Local APICs.</summary>
    public required LocalApicMode LocalApic { get; init; }

    /// <summary>What CPUID showed; null where the backend did not say.</summary>
    public CpuProfile? CpuProfile { get; init; }

    /// <summary>The machine's time, in nanoseconds since it was first started.</summary>
    public required long Time { get; init; }

    /// <summary>CRC-32C of the firmware; null for a machine without.</summary>
    public uint? FirmwareChecksum { get; init; }

    /// <summary>
    /// Options for a machine that takes this one's place: RAM, processors, their model and its clocks from here, all else from the given
    /// ones.
    /// </summary>
    /// <param name="options">
    /// The devices' ends: serial port, disks and so on; an image is left out. A CPU profile that is set stays.
    /// </param>
    /// <exception cref="SavedStateException">The profile is none of this library's, and none is set.</exception>
    public MachineOptions ToOptions(MachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CpuProfile? profile = options.CpuProfile ?? (CpuProfile is null ? null : Known(CpuProfile));
        return options with { Image = null, MemorySize = MemorySize, ProcessorCount = ProcessorCount, LocalApic = LocalApic, CpuProfile = profile };
    }

    internal void WriteTo(StateWriter writer)
    {
        writer.Write(MemorySize);
        writer.Write((uint)ProcessorCount);
        writer.Write((uint)LocalApic);
        writer.Write((ulong)Time);
        writer.Write(FirmwareChecksum is null ? 0u : 1u);
        writer.Write(FirmwareChecksum ?? 0);
        writer.Write(CpuProfile is null ? 0u : 1u);
        if (CpuProfile is not null)
            StateCodec.Write(writer, CpuProfile);
    }

    internal static SavedMachineDescription ReadFrom(ReadOnlySpan<byte> payload)
    {
        StateReader reader = new(payload);
        ulong memory = reader.ReadUInt64();
        uint processors = reader.ReadUInt32();
        uint localApic = reader.ReadUInt32();
        ulong time = reader.ReadUInt64();
        bool hasFirmware = reader.ReadUInt32() != 0;
        uint firmware = reader.ReadUInt32();
        CpuProfile? profile = reader.ReadUInt32() != 0 ? StateCodec.ReadProfile(ref reader) : null;
        reader.RequireEnd();
        if (memory is < MemoryMap.MinimumSize or > MemoryMap.MaximumSize || memory % 4096 != 0)
            throw new SavedStateException($"The saved machine has {memory} bytes of RAM, which no machine has.");
        if (processors is 0 or > 4096)
            throw new SavedStateException($"The saved machine has {processors} processors.");
        if (localApic > (uint)LocalApicMode.X2Apic)
            throw new SavedStateException($"The saved machine has local APICs of an unknown mode, {localApic}.");
        // A hundred years, as for moments in devices: no sum of both overflows.
        if (time > 100UL * 366 * 86_400 * 1_000_000_000)
            throw new SavedStateException("The saved machine has run for more than a hundred years.");
        return new()
        {
            MemorySize = memory,
            ProcessorCount = (int)processors,
            LocalApic = (LocalApicMode)localApic,
            Time = (long)time,
            FirmwareChecksum = hasFirmware ? firmware : null,
            CpuProfile = profile,
        };
    }

    // Leaves from a file are compared, not believed; its clocks, which a backend may be able to provide, are taken as far as a processor
    // can have them.
    private static CpuProfile Known(CpuProfile saved)
    {
        CpuProfile known = CpuProfiles.All.FirstOrDefault(profile => string.Equals(profile.Name, saved.Name, StringComparison.OrdinalIgnoreCase))
            ?? throw new SavedStateException(
                $"The saved guest saw the CPU profile '{saved.Name}'; known here are {string.Join(", ", CpuProfiles.All.Select(profile => profile.Name))}. Set MachineOptions.CpuProfile to that profile.");
        bool isSame = saved.TimeStampCounterFrequency == known.TimeStampCounterFrequency && saved.ApicTimerFrequency == known.ApicTimerFrequency;
        return isSame || !IsClock(saved.TimeStampCounterFrequency) || !IsClock(saved.ApicTimerFrequency)
            ? known
            : known.WithClocks(saved.TimeStampCounterFrequency, saved.ApicTimerFrequency);
    }

    private static bool IsClock(ulong hertz) => hertz is >= SlowestClock and <= FastestClock;
}
