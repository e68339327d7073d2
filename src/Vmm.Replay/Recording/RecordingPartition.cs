using System.Diagnostics;

namespace Vmm.Replay;

/// <summary>
/// A partition whose inputs are recorded. One processor at a time is in guest code; whatever the host does waits until it has left, at a
/// counted time, and is recorded in that order.
/// </summary>
/// <remarks>
/// Locks: <c>_gate</c> guards the record and who is in guest code. It is not held while the guest runs, nor while a client's interrupt
/// source is asked by the guest; it is held while the backend is called for the host, which never calls back.
/// </remarks>
internal sealed partial class RecordingPartition : IPartition
{
    private readonly object _gate = new();
    private readonly RecordingHypervisor _hypervisor;
    private readonly IPartition _inner;
    private readonly IVirtualTime _time;
    private readonly OperationWriter _writer;
    private readonly RecordingProcessor[] _processors;
    private readonly RecordingMemory _memory;
    private readonly RecordingInterruptSource _source;
    private readonly RecordedTime? _clientTime;
    private bool _disposed;

    public RecordingPartition(RecordingHypervisor hypervisor, IHypervisor inner, PartitionOptions options, OperationWriter writer)
    {
        _hypervisor = hypervisor;
        _writer = writer;
        IsLive = !options.VirtualTime;
        if (options.CpuProfile is null && inner.Capabilities.CpuProfiles is [string profile, ..])
            options = options with { CpuProfile = CpuProfiles.ByName(profile) };
        // With the host's time the budget is kept here: one run of the client's is several behind.
        PartitionOptions behind = options with { VirtualTime = true, InstructionBudget = IsLive ? 0 : options.InstructionBudget };
        _inner = inner.CreatePartition(behind);
        Options = options;
        _time = _inner.VirtualTime!;
        _clientTime = IsLive ? null : new RecordedTime(this, _time);
        _memory = new RecordingMemory(this, _inner.Memory);
        _processors = [.. _inner.Processors.Select(processor => new RecordingProcessor(this, processor))];
        _source = new RecordingInterruptSource(this);
        _host = Stopwatch.StartNew();
        writer.Text(inner.Name);
        OptionsCodec.Write(writer, behind);
        writer.EndChunk(RecordingChunkKind.Options);
    }

    public PartitionOptions Options { get; }

    public HypervisorCapabilities Capabilities => _inner.Capabilities;

    public ISecondLevelAddressTranslation Memory => _memory;

    public IReadOnlyList<IVirtualProcessor> Processors => _processors;

    public IVirtualTime? VirtualTime => _clientTime;

    /// <summary>The time follows the host's.</summary>
    public bool IsLive { get; }

    /// <summary>Something has run: the host's doings are recorded one by one.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>The record; under <see cref="Enter"/>.</summary>
    public OperationWriter Writer => _writer;

    public IExternalInterruptSource? ExternalInterruptSource
    {
        get => _source.Client;
        set
        {
            using HostTurn turn = Enter();
            _source.Client = value;
            _inner.ExternalInterruptSource = _source;
        }
    }

    public GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None) => _inner.AllocateMemory(length, options);

    // Neither of these two waits for the guest to leave: who calls may hold a lock that the guest's own thread wants while it asks the
    // interrupt source.
    public void NotifyExternalInterrupt()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            if (_guest is null)
                _source.Sample();
            else if (!ReferenceEquals(_guestThread, Thread.CurrentThread))
                Kick(); // it is looked at before the next run
            Monitor.PulseAll(_gate);
        }
    }

    public void RequestInterrupt(in InterruptRequest request)
    {
        Capabilities.Require(Capability.LocalApic);
        if (Options.LocalApic == LocalApicMode.None)
            throw new InvalidOperationException("The partition was created without local APICs: set PartitionOptions.LocalApic.");
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _requests.Enqueue(request);
            if (_guest is null)
                SendRequests();
            else
                Kick();
            Monitor.PulseAll(_gate);
        }
    }

    public void Pause()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _pauses++;
            LeaveGuest();
        }
    }

    public void Resume()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_pauses == 0)
                throw new InvalidOperationException("The partition is not paused.");
            _pauses--;
            Monitor.PulseAll(_gate);
        }
    }

    public void Reset(bool keepMemory)
    {
        using HostTurn turn = Enter();
        if (Array.Exists(_processors, processor => processor.IsHeld))
            throw new InvalidOperationException("A processor is running: it cannot be reset.");
        if (IsStarted)
            WriteTouched();
        _inner.Reset(keepMemory);
        if (!IsStarted)
            return;
        _writer.Begin(OperationKind.Reset);
        _writer.Flag(keepMemory);
    }

    public void SuspendTime()
    {
        using HostTurn turn = Enter();
        KeepUp();
        _inner.SuspendTime();
        _host.Stop();
        _suspensions++;
    }

    public void ResumeTime()
    {
        using HostTurn turn = Enter();
        _inner.ResumeTime();
        if (--_suspensions == 0)
            _host.Start();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            LeaveGuest();
            Volatile.Write(ref _disposed, true);
            Monitor.PulseAll(_gate);
            try
            {
                if (IsStarted)
                    WriteFinish();
                _hypervisor.Finish();
            }
            finally
            {
                _inner.Dispose();
            }
        }
    }

    private void WriteFinish()
    {
        WriteTouched();
        _writer.Begin(OperationKind.Finish);
        _writer.Time(_time.Nanoseconds);
        foreach (RecordingProcessor processor in _processors)
            _writer.Number(processor.Inner.Counters.Instructions);
        _writer.Number(MemoryContent.Checksum(_inner.Memory));
    }
}
