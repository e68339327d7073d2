using System.Diagnostics;
using Vmm.Machines;

namespace Vmm.Portability.Tests;

/// <summary>
/// Takes a guest from backend to backend by saved machines, and compares it with what the host computes at every stop that the guest makes.
/// </summary>
internal sealed class Journey : IPortDevice, ISaveableDevice, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_longestWay = TimeSpan.FromMilliseconds(2);

    private readonly IReadOnlyList<IHypervisor> _backends;
    private readonly MachineOptions _options;
    private readonly Random _random;
    private readonly ChainModel _model = new();
    private readonly Queue<(byte[] Dump, byte[] Table)> _told = []; // by the processor's thread while it runs, else by ours
    private readonly ManualResetEventSlim _arrived = new();
    private IPartition? _partition;

    /// <summary>Prepares one.</summary>
    /// <param name="backends">Where the guest goes, in turn; it starts on the first.</param>
    /// <param name="localApic">Local APICs.</param>
    /// <param name="seed">Decides how far the guest gets between two moves.</param>
    public Journey(IReadOnlyList<IHypervisor> backends, LocalApicMode localApic, int seed)
    {
        _backends = backends;
        _random = new Random(seed);
        _options = new()
        {
            Image = new ChainGuest(),
            MemorySize = 2 << 20,
            LocalApic = localApic,
            HasAcpi = false,
            CpuProfile = CommonProfile(backends),
            Virtio = new() { HasEntropy = false },
            AddDevices = machine => machine.Ports.Register(ChainGuest.Port, 1, this, "chain"),
        };
    }

    /// <summary>Rounds that were compared.</summary>
    public int Rounds { get; private set; }

    /// <summary>Moves so far.</summary>
    public int Moves { get; private set; }

    /// <summary>Moves that took the guest from within its chain, not from where it waited for the host.</summary>
    public int MovesMidway { get; private set; }

    /// <summary>The first wrong value, or null.</summary>
    public string? Wrong { get; private set; }

    string ISaveableDevice.StateKind => "chain-port";

    int ISaveableDevice.StateVersion => 1;

    /// <summary>Goes on until the guest has moved so many times, and a last round has been compared where it then is.</summary>
    public void Run(int moves)
    {
        byte[] saved = Stay(Start());
        while (Moves < moves && Wrong is null)
        {
            Moves++;
            saved = Stay(Restore(_backends[Moves % _backends.Count], saved));
        }
    }

    public void Dispose() => _arrived.Dispose();

    uint IPortDevice.Read(ushort port, int size) => uint.MaxValue;

    void IPortDevice.Write(ushort port, int size, uint value)
    {
        byte[] dump = new byte[ChainGuest.DumpSize], table = new byte[8 * ChainGuest.TableLength];
        _partition!.Memory.Read(ChainGuest.Dump, dump);
        _partition.Memory.Read(ChainGuest.Table, table);
        _told.Enqueue((dump, table));
        _arrived.Set();
    }

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
    }

    // Clocks that all places have: those of hosts that cannot change theirs.
    private static CpuProfile CommonProfile(IEnumerable<IHypervisor> backends)
    {
        CpuProfile profile = CpuProfiles.V1;
        foreach (IHypervisor backend in backends)
        {
            using IPartition partition = backend.CreatePartition(new() { CpuProfile = profile });
            CpuProfile shown = partition.CpuProfile!;
            if (shown.TimeStampCounterFrequency != profile.TimeStampCounterFrequency || shown.ApicTimerFrequency != profile.ApicTimerFrequency)
                profile = profile.WithClocks(shown.TimeStampCounterFrequency, shown.ApicTimerFrequency);
        }
        return profile;
    }

    private Machine Start() => new(_backends[0], _options);

    private Machine Restore(IHypervisor backend, byte[] saved)
    {
        using SavedMachine file = new(new MemoryStream(saved));
        return Machine.Restore(backend, file, file.Description.ToOptions(_options), new() { AllowSupersetCpuid = true });
    }

    // Waits until the guest has been compared once here, lets it go on a little, and saves it wherever it then is.
    private byte[] Stay(Machine machine)
    {
        using (machine)
        {
            _partition = machine.Partition;
            _arrived.Reset();
            using CancellationTokenSource leave = new();
            Task<MachineOutcome> run = machine.RunAsync(leave.Token);
            long limit = Stopwatch.GetTimestamp() + (long)(s_patience.TotalSeconds * Stopwatch.Frequency);
            while (!_arrived.Wait(20))
            {
                if (run.IsCompleted || Stopwatch.GetTimestamp() > limit)
                    break;
            }
            long end = Stopwatch.GetTimestamp() + (long)(_random.NextDouble() * s_longestWay.TotalSeconds * Stopwatch.Frequency);
            while (Stopwatch.GetTimestamp() < end)
                Thread.SpinWait(20);
            leave.Cancel();
            MachineOutcome outcome = run.WaitAsync(s_patience).GetAwaiter().GetResult();
            if (outcome.Kind != MachineOutcomeKind.Cancelled || !_arrived.IsSet)
                Wrong ??= $"On {machine.Partition.Capabilities.Backend} after {Moves} moves, the guest did not come to the end of a round: {outcome}.";
            while (Wrong is null && _told.TryDequeue(out (byte[] Dump, byte[] Table) round))
            {
                _model.AdvanceRound();
                Rounds++;
                if (_model.Compare(round.Dump, round.Table) is { } difference)
                    Wrong = $"On {machine.Partition.Capabilities.Backend} after {Moves} moves, {difference}.";
            }
            if (Wrong is not null)
                return [];
            using MemoryStream saved = new();
            machine.Save(saved);
            if (!ChainGuest.IsBetweenRounds(machine.Partition.Processors[0][Register.Rip]))
                MovesMidway++;
            return saved.ToArray();
        }
    }
}
