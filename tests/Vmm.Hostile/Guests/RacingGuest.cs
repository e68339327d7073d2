using Vmm.Emulator;

namespace Vmm.Hostile.Guests;

/// <summary>
/// A hostile guest with several processors on threads of their own, which share code, tables and data, while its client changes the address
/// space, writes code, interrupts, pauses and asks. Threads are not repeatable: the seed fixes only what each of them does.
/// </summary>
public sealed class RacingGuest : IDisposable
{
    private const int Guard = 0x1000;
    private const int MostSpares = 4;

    private readonly Random _random;
    private readonly bool _v2;
    private readonly IPartition _partition;
    private readonly GuestMemory _ram;
    private readonly HostileMode _mode;
    private readonly byte[] _pristine;
    private readonly List<GuestMemory> _spares = [];
    private readonly Random[] _randoms;
    private readonly ulong[] _exits = new ulong[(int)ExitKind.Failed + 1];
    private volatile Exception? _error;
    private volatile bool _over;

    public RacingGuest(int seed)
    {
        _random = new Random(seed);
        _mode = (HostileMode)_random.Next((int)HostileMode.Compatibility + 1);
        _v2 = _random.Next(2) == 0;
        int count = _random.Next(2, 5);
        SlatFormat format = (SlatFormat)_random.Next(3);
        PartitionOptions options = new()
        {
            ProcessorCount = count,
            CpuProfile = _v2 ? CpuProfiles.V2 : CpuProfiles.V1,
            SlatFormat = format,
            LocalApic = _random.Next(3) switch { 0 => LocalApicMode.None, 1 => LocalApicMode.X2Apic, _ => LocalApicMode.XApic },
            EnforceExecute = _random.Next(2) == 0,
            InstructionBudget = (ulong)_random.Next(500, 50_000),
        };
        Description = $"seed {seed}: {count} processors, {_mode}, {(_v2 ? "v2" : "v1")}, {format}, APIC {options.LocalApic}, budget {options.InstructionBudget}";
        _partition = new EmulatorHypervisor().CreatePartition(options);
        _ram = _partition.AllocateMemory(HostileLayout.End + (2 * Guard));
        Span<byte> whole = _ram.GetSpan(0, (int)_ram.Length);
        whole.Fill(0xA5);
        Span<byte> memory = whole[Guard..^Guard];
        memory.Clear();
        HostileLayout.Fill(memory, _mode, _random);
        int bitness = _mode switch { HostileMode.Real or HostileMode.Virtual8086 => 16, HostileMode.Long or HostileMode.LongUser => 64, _ => 32 };
        HostileCode.Fill(memory.Slice((int)HostileLayout.Code, HostileLayout.CodeLength), bitness, _random);
        _pristine = memory[..(int)(HostileLayout.PaePointers + 0x1000)].ToArray();
        Map(0, HostileLayout.Hole, GuestAccess.All);
        Map(HostileLayout.ReadOnly, HostileLayout.NoExecute, GuestAccess.Read | GuestAccess.Execute);
        Map(HostileLayout.NoExecute, HostileLayout.End, GuestAccess.All);
        _randoms = [.. Enumerable.Range(0, count).Select(_ => new Random(_random.Next()))];
    }

    public string Description { get; }

    /// <summary>Exits of all processors, by kind.</summary>
    public IReadOnlyList<ulong> Exits => _exits;

    public ulong Retired => _partition.Processors.Aggregate(0UL, (sum, processor) => sum + processor.Counters.Instructions);

    /// <summary>Races for a time. Throws what any of the threads threw, or when one does not come back.</summary>
    public void Run(TimeSpan time)
    {
        Thread[] threads = [.. _partition.Processors.Select(processor => new Thread(() => Drive(processor)) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        long end = Environment.TickCount64 + (long)time.TotalMilliseconds;
        while (Environment.TickCount64 < end && _error is null)
            Disturb();
        _over = true;
        foreach (IVirtualProcessor processor in _partition.Processors)
            processor.Cancel();
        if (_random.Next(3) == 0)
            _partition.Dispose();
        foreach (Thread thread in threads)
        {
            if (!thread.Join(5000))
                throw new InvalidOperationException("a processor does not come back");
        }
        if (_error is { } error)
            throw new InvalidOperationException("a processor's thread ended", error);
        Span<byte> whole = _ram.GetSpan(0, (int)_ram.Length);
        if (whole[..Guard].ContainsAnyExcept((byte)0xA5) || whole[^Guard..].ContainsAnyExcept((byte)0xA5))
            throw new InvalidOperationException("memory beside the mapping was written");
    }

    public void Dispose()
    {
        _partition.Dispose();
        _ram.Dispose();
        foreach (GuestMemory spare in _spares)
            spare.Dispose();
    }

    private void Map(ulong from, ulong to, GuestAccess access) => _partition.Memory.Map(from, _ram, from + Guard, to - from, access);

    private void Drive(IVirtualProcessor processor)
    {
        Random random = _randoms[processor.Index];
        try
        {
            Revive(processor, random);
            while (!_over)
            {
                VpExit exit = processor.Run();
                Interlocked.Increment(ref _exits[(int)exit.Kind]);
                Answer(processor, exit, random);
            }
        }
        catch (ObjectDisposedException) when (_over)
        {
            // Disposed under it.
        }
        catch (Exception e)
        {
            _error = e;
        }
    }

    private void Answer(IVirtualProcessor processor, VpExit exit, Random random)
    {
        while (true)
        {
            switch (exit.Kind)
            {
                case ExitKind.PortIo when !exit.PortIo.IsWrite:
                case ExitKind.Mmio when !exit.Mmio.IsWrite:
                    random.NextBytes(processor.PendingData);
                    processor.CompleteRead((ulong)random.NextInt64());
                    break;
                case ExitKind.SlatViolation when processor.IsPending:
                    processor.CompleteWrite((WriteResolution)random.Next(2));
                    break;
            }
            if (!processor.IsPending)
                break;
            if (random.Next(3) != 0)
                return;
            if (processor.CompletePending(out exit) == CompletionStatus.Done)
                break;
        }
        // What they do to the tables they share soon leaves nothing to run: it is put right under those that go on.
        if (exit.Kind == ExitKind.Shutdown)
            Restore();
        if (exit.Kind is ExitKind.Shutdown or ExitKind.SlatViolation or ExitKind.Halt || random.Next(8) == 0)
            Revive(processor, random);
    }

    private void Restore()
    {
        _partition.Memory.Write(0, _pristine.AsSpan(0, (int)HostileLayout.Code));
        _partition.Memory.Write(HostileLayout.LongTables, _pristine.AsSpan((int)HostileLayout.LongTables));
    }

    private void Revive(IVirtualProcessor processor, Random random)
    {
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state = HostileState.Make(_mode, state, _v2, random);
        state.Events = default;
        state.Debug = default;
        processor.SetState(RegisterGroups.All, state);
    }

    private void Disturb()
    {
        IVirtualProcessor processor = _partition.Processors[_random.Next(_partition.Processors.Count)];
        ISecondLevelAddressTranslation memory = _partition.Memory;
        switch (_random.Next(14))
        {
            case 0:
                Remap();
                break;
            case 1:
                byte[] bytes = new byte[_random.Next(1, 40)];
                _random.NextBytes(bytes);
                memory.Write(HostileLayout.Code + ((ulong)_random.Next(7) * 0x1000) + (ulong)_random.Next(0xF00), bytes);
                break;
            case 2 when _partition.Options.LocalApic != LocalApicMode.None:
                _partition.RequestInterrupt(new InterruptRequest
                {
                    Vector = (byte)_random.Next(16, 256),
                    Mode = _random.Next(4) switch
                    {
                        0 => InterruptDeliveryMode.NonMaskable, 1 => InterruptDeliveryMode.LowestPriority, _ => InterruptDeliveryMode.Fixed,
                    },
                    Destination = _random.Next(8) == 0 ? 0xFF : (uint)_random.Next(4), Logical = _random.Next(4) == 0, LevelTriggered = _random.Next(2) == 0,
                });
                break;
            case 3:
                processor.Cancel();
                break;
            case 4:
                _partition.Pause();
                if (_random.Next(4) == 0)
                    Thread.Yield();
                _partition.Resume();
                break;
            case 5:
                memory.Translate((ulong)_random.NextInt64((long)HostileLayout.End), (GuestAccess)_random.Next(8));
                break;
            case 7:
                Try(() => processor.Inject(_random.Next(2) == 0 ? InjectedEvent.Nmi : InjectedEvent.Interrupt((byte)_random.Next(256))));
                break;
            case 8:
                memory.TrackDirty(HostileLayout.Data, 0x1_0000, _random.Next(2) == 0);
                break;
            case 9:
                Try(() => memory.GetAndClearDirty(HostileLayout.Data, 0x1_0000, new ulong[1]));
                break;
            case 10:
                ulong cell = HostileLayout.LongTables + 0x3000 + ((ulong)_random.Next(0x100) * 8);
                memory.CompareExchange(cell, 8, 0, (ulong)_random.NextInt64());
                break;
            case 11:
                _ = memory.Statistics;
                break;
            default:
                Thread.Yield();
                break;
        }
    }

    private void Remap()
    {
        ulong page = (ulong)_random.Next(0x8, 0x9C) << 12;
        ulong length = (ulong)_random.Next(1, 4) << 12;
        ISecondLevelAddressTranslation memory = _partition.Memory;
        switch (_random.Next(4))
        {
            case 0 when page >= HostileLayout.PaePointers + 0x1000:
                // Memory that goes away for good the moment something else is mapped there.
                GuestMemory spare = _partition.AllocateMemory(length);
                memory.Map(page, spare, 0, length, GuestAccess.All, replace: true);
                _spares.Add(spare);
                if (_spares.Count > MostSpares)
                {
                    _spares[0].Dispose();
                    _spares.RemoveAt(0);
                }
                break;
            case 1 when page >= HostileLayout.PaePointers + 0x1000:
                memory.Unmap(page, length);
                memory.Map(page, _ram, page + Guard, length, GuestAccess.All);
                break;
            case 2:
                memory.Map(page, _ram, page + Guard, length, GuestAccess.Read | GuestAccess.Execute, replace: true);
                break;
            default:
                memory.Map(page, _ram, page + Guard, length, GuestAccess.All, replace: true);
                break;
        }
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (InvalidOperationException)
        {
            // Somebody runs it, an event is there already, or the range is not tracked.
        }
    }
}
