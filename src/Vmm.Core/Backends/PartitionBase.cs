using Microsoft.Extensions.Logging;

namespace Vmm;

/// <summary>
/// Base of a partition: pause, resume, stopping processors for a change, and disposal, with their rules. A backend overrides the
/// <c>…Core</c> members.
/// </summary>
public abstract class PartitionBase : IPartition
{
    private readonly HypervisorBase _hypervisor;
    private readonly object _gate = new();
    private readonly Lock _time = new();
    private VirtualProcessorBase[] _processors = [];
    private IExternalInterruptSource? _externalInterruptSource;
    private int _pauses; // by the client
    private int _stops; // pauses and changes: read by processors without the lock
    private int _changes; // stops of our own, which nothing may get past
    private int _timeStops; // who takes a snapshot stops the time for it, whether the client has stopped it or not
    private bool _disposed;
    private bool _freed;

    /// <summary>Makes a partition without processors; the derived constructor calls <see cref="SetProcessors"/>.</summary>
    protected PartitionBase(HypervisorBase hypervisor, PartitionOptions options)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(options);
        _hypervisor = hypervisor;
        Options = options;
    }

    /// <inheritdoc/>
    public PartitionOptions Options { get; }

    /// <inheritdoc/>
    public HypervisorCapabilities Capabilities => _hypervisor.Capabilities;

    /// <inheritdoc/>
    public virtual CpuProfile? CpuProfile => Options.CpuProfile ?? (Capabilities.CpuProfiles is [{ } first, ..] ? CpuProfiles.All.FirstOrDefault(known => known.Name == first) : null);

    /// <inheritdoc/>
    public abstract ISecondLevelAddressTranslation Memory { get; }

    /// <inheritdoc/>
    public IReadOnlyList<IVirtualProcessor> Processors => _processors;

    /// <inheritdoc/>
    public IExternalInterruptSource? ExternalInterruptSource
    {
        get => Volatile.Read(ref _externalInterruptSource);
        set
        {
            ThrowIfDisposed();
            Volatile.Write(ref _externalInterruptSource, value);
            NotifyExternalInterrupt();
        }
    }

    /// <summary>The log.</summary>
    protected internal ILogger Logger => _hypervisor.Logger;

    /// <summary>Non-zero while some call wants every processor out of guest code.</summary>
    internal bool StopWanted => Volatile.Read(ref _stops) != 0;

    /// <summary>Some call is changing what processors rely on, or is about to.</summary>
    internal bool ChangeWanted => Volatile.Read(ref _changes) != 0;

    internal bool IsDisposed => Volatile.Read(ref _disposed);

    /// <inheritdoc/>
    public GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None)
    {
        ThrowIfDisposed();
        if (length == 0 || (length & 0xFFF) != 0)
            throw new ArgumentOutOfRangeException(nameof(length), $"0x{length:X} is not a multiple of 4096 above 0.");
        return AllocateMemoryCore(length, options);
    }

    /// <inheritdoc/>
    public void NotifyExternalInterrupt()
    {
        if (!IsDisposed && _processors.Length != 0)
            _processors[0].NotifyEvent();
    }

    /// <inheritdoc/>
    public void RequestInterrupt(in InterruptRequest request)
    {
        ThrowIfDisposed();
        Capabilities.Require(Capability.LocalApic);
        if (Options.LocalApic == LocalApicMode.None)
            throw new InvalidOperationException("The partition was created without local APICs: set PartitionOptions.LocalApic.");
        RequestInterruptCore(in request);
    }

    /// <inheritdoc/>
    public void Pause()
    {
        ThrowIfDisposed();
        lock (_gate)
            _pauses++;
        StopProcessors();
    }

    /// <inheritdoc/>
    public void Resume()
    {
        ThrowIfDisposed();
        lock (_gate)
        {
            if (_pauses == 0)
                throw new InvalidOperationException("The partition is not paused.");
            _pauses--;
        }
        LetProcessorsGo();
    }

    /// <inheritdoc/>
    public void Reset(bool keepMemory)
    {
        ThrowIfDisposed();
        int held = 0;
        try
        {
            foreach (VirtualProcessorBase processor in _processors)
            {
                processor.BeginAtRest("reset");
                held++;
            }
            if (!keepMemory)
            {
                foreach (MappedRegion region in Memory.Regions)
                {
                    if ((region.Access & GuestAccess.Write) != 0)
                        Zero(region);
                }
            }
            ResetCore();
            foreach (VirtualProcessorBase processor in _processors)
                processor.AfterReset();
        }
        finally
        {
            for (int i = 0; i < held; i++)
                _processors[i].EndAtRest();
        }
    }

    /// <inheritdoc/>
    public virtual IVirtualTime? VirtualTime => null;

    /// <inheritdoc/>
    public void SuspendTime()
    {
        ThrowIfDisposed();
        Capabilities.Require(Capability.TimeControl);
        lock (_time)
        {
            if (_timeStops == 0)
                SuspendTimeCore();
            _timeStops++;
        }
    }

    /// <inheritdoc/>
    public void ResumeTime()
    {
        ThrowIfDisposed();
        Capabilities.Require(Capability.TimeControl);
        lock (_time)
        {
            if (_timeStops == 0)
                throw new InvalidOperationException("The partition's time is not suspended.");
            if (_timeStops == 1)
                ResumeTimeCore();
            _timeStops--;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            Volatile.Write(ref _disposed, true);
            Monitor.PulseAll(_gate);
        }
        BeginStop();
        lock (_gate)
        {
            // Whoever has a processor outside of guest code is about to let go of it.
            while (Array.Exists(_processors, p => p.IsHeld && !p.IsCurrentThread))
                Monitor.Wait(_gate, 10);
        }
        FreeIfLeft();
        BackendLog.PartitionDisposed(Logger, _hypervisor.Name);
        GC.SuppressFinalize(this);
    }

    /// <summary>Allocates memory; the length is page-aligned and above 0.</summary>
    protected virtual GuestMemory AllocateMemoryCore(ulong length, GuestMemoryOptions options) => NativeGuestMemory.Allocate(length, options);

    /// <summary>Sends an interrupt message; the capability is declared and the partition has local APICs.</summary>
    protected virtual void RequestInterruptCore(in InterruptRequest request) => Capabilities.Require(Capability.LocalApic);

    /// <summary>Puts every processor in the power-on state; none is running.</summary>
    protected abstract void ResetCore();

    /// <summary>Stops partition time, which runs; only where the capability is declared.</summary>
    protected virtual void SuspendTimeCore() => Capabilities.Require(Capability.TimeControl);

    /// <summary>Resumes partition time, which stands; only where the capability is declared.</summary>
    protected virtual void ResumeTimeCore() => Capabilities.Require(Capability.TimeControl);

    /// <summary>Frees everything; no processor is running and none will.</summary>
    protected abstract void DisposeCore();

    /// <summary>Says what the processors are; once, from the derived constructor.</summary>
    protected void SetProcessors(IEnumerable<VirtualProcessorBase> processors) => _processors = [.. processors];

    /// <summary>Throws when the partition is disposed.</summary>
    protected internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);

    /// <summary>
    /// Makes every processor leave guest code and keeps new runs out until <see cref="EndStop"/>; a processor run by the calling thread
    /// itself is not waited for. Clients see nothing of it.
    /// </summary>
    public void BeginStop()
    {
        Interlocked.Increment(ref _changes);
        StopProcessors();
    }

    /// <summary>Ends one <see cref="BeginStop"/>.</summary>
    public void EndStop()
    {
        Interlocked.Decrement(ref _changes);
        LetProcessorsGo();
    }

    /// <summary>Blocks until no change is going on.</summary>
    internal void WaitForChange()
    {
        lock (_gate)
        {
            while (ChangeWanted && !_disposed)
                Monitor.Wait(_gate);
        }
    }

    private void StopProcessors()
    {
        Interlocked.Increment(ref _stops);
        foreach (VirtualProcessorBase processor in _processors)
            processor.RequestExit();
        lock (_gate)
        {
            foreach (VirtualProcessorBase processor in _processors)
            {
                while (processor.IsInGuest && !processor.IsCurrentThread)
                {
                    // The wait is bounded so that a wake-up lost to a platform's own race costs little.
                    if (!Monitor.Wait(_gate, 50))
                        processor.RequestExit();
                }
            }
        }
    }

    private void LetProcessorsGo()
    {
        Interlocked.Decrement(ref _stops);
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    /// <summary>A processor left guest code: tells whoever waits for it.</summary>
    internal void ProcessorLeft()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    /// <summary>Wakes processors that wait at the gate, so that they look at their cancel latch.</summary>
    internal void WakeGate()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    /// <summary>Blocks while the partition is stopped. Returns early when <paramref name="processor"/> has a cancel request.</summary>
    internal void WaitAtGate(VirtualProcessorBase processor)
    {
        lock (_gate)
        {
            while (StopWanted && !_disposed && !processor.IsCancelRequested)
                Monitor.Wait(_gate);
        }
    }

    /// <summary>Frees a disposed partition once no thread has any of its processors.</summary>
    internal void FreeIfLeft()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
            if (_freed || Array.Exists(_processors, p => p.IsHeld))
                return;
            _freed = true;
        }
        LivePartitions.Remove(this); // the meters read counters, so before they are freed
        DisposeCore();
    }

    private void Zero(MappedRegion region)
    {
        const int Piece = 1 << 20;
        for (ulong done = 0; done < region.Length; done += Piece)
        {
            int length = (int)Math.Min(Piece, region.Length - done);
            region.Memory.GetSpan(region.Offset + done, length).Clear();
        }
        Memory.NotifyWritten(region.Address, region.Length);
    }
}
