namespace Vmm.Devices;

/// <summary>
/// A virtio device, whatever carries it to the guest: feature negotiation, status and queues (Virtual I/O Device 1.2, chapters 2 and 3).
/// Only the modern interface is offered (VERSION_1).
/// </summary>
/// <remarks>
/// <para>
/// Requests are served on the thread of the processor that notifies, but only so many bytes at a time: what is left goes on in callbacks of
/// the machine's clock, so that no processor is held for long.
/// </para>
/// <para>
/// A driver that breaks the rules of the queues gets DEVICE_NEEDS_RESET, and nothing more until it resets the device.
/// </para>
/// </remarks>
public abstract class VirtioDevice : ISaveableDevice, IDisposable
{
    private const int IndirectDescriptors = 28;
    private const int EventIndex = 29;
    private const int Version1 = 32;

    // Bytes served before others get their turn.
    private const int Slice = 8 << 20;

    private readonly VirtioRequest _request;
    private readonly IMachineClock _clock;
    private readonly IClockTimer _continuation;
    private IVirtioTransport? _transport;
    private VirtioStatus _status;
    private ulong _features;
    private uint _deferred;
    private uint _queuesToSignal;
    private bool _configurationToSignal;
    private bool _disposed;

    /// <summary>Makes a device in its reset state.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="queueSizes">The largest size of each queue: powers of two up to 32768.</param>
    private protected VirtioDevice(VirtioDeviceKind kind, DeviceMemory memory, IMachineClock clock, params ReadOnlySpan<ushort> queueSizes)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(clock);
        Kind = kind;
        _request = new VirtioRequest(memory);
        _clock = clock;
        _continuation = clock.CreateTimer(Continue);
        Queues = new Virtqueue[queueSizes.Length];
        for (int queue = 0; queue < Queues.Length; queue++)
            Queues[queue] = new Virtqueue(memory, queueSizes[queue]);
    }

    /// <summary>What it is.</summary>
    public VirtioDeviceKind Kind { get; }

    /// <summary>Why the device needs a reset; null = it does not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Whether a driver has taken the device into use and it works.</summary>
    public bool IsLive
    {
        get
        {
            lock (Gate)
                return CanWork;
        }
    }

    string ISaveableDevice.StateKind => $"virtio-{Kind.ToString().ToLowerInvariant()}";

    int ISaveableDevice.StateVersion => 1;

    /// <summary>Held while the device's state is touched.</summary>
    internal Lock Gate { get; } = new();

    internal Virtqueue[] Queues { get; }

    internal VirtioStatus Status => _status;

    /// <summary>The device's configuration space, as the driver reads it.</summary>
    internal abstract ReadOnlySpan<byte> Configuration { get; }

    internal ulong OfferedFeatures => KindFeatures | 1ul << IndirectDescriptors | 1ul << EventIndex | 1ul << Version1;

    /// <summary>Features of its kind that the device offers.</summary>
    private protected abstract ulong KindFeatures { get; }

    private bool CanWork =>
        !_disposed && (_status & (VirtioStatus.DriverOk | VirtioStatus.FeaturesOk | VirtioStatus.NeedsReset | VirtioStatus.Failed))
            == (VirtioStatus.DriverOk | VirtioStatus.FeaturesOk);

    /// <summary>Stops serving; the guest's memory is not touched any more when this returns.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _continuation.Disarm();
        }
        OnDispose();
        GC.SuppressFinalize(this);
    }

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (Gate)
        {
            byte status = (byte)_status;
            state.Require("offered-features", OfferedFeatures);
            state.Value("status", ref status, 0xCF);
            state.Value("features", ref _features);
            state.Value("deferred", ref _deferred, (1u << Queues.Length) - 1);
            for (int queue = 0; queue < Queues.Length; queue++)
                state.Part($"queue-{queue}", Queues[queue].ExchangeState);
            ExchangeKindState(state);
            if (!state.IsLoading)
                return;
            if ((_features & ~OfferedFeatures) != 0)
                throw state.Refuse("features", "holds some that this device does not offer");
            _status = (VirtioStatus)status;
            ApplyFeatures();
            if (_deferred != 0)
                _continuation.Arm(state.Now);
        }
    }

    internal void Attach(IVirtioTransport transport)
    {
        if (_transport is not null)
            throw new InvalidOperationException($"The {Kind} device is attached to a transport already.");
        _transport = transport;
    }

    /// <summary>The driver writes the status register: 0 resets, other bits are added.</summary>
    internal void WriteStatus(byte value)
    {
        lock (Gate)
        {
            VirtioStatus added = (VirtioStatus)value & ~_status & ~VirtioStatus.NeedsReset;
            if (value == 0)
            {
                Reset();
                return;
            }
            if ((added & VirtioStatus.FeaturesOk) != 0)
            {
                if ((_features & ~OfferedFeatures) == 0 && HasFeature(Version1))
                    ApplyFeatures();
                else
                    added &= ~VirtioStatus.FeaturesOk;
            }
            _status |= added;
            if ((added & VirtioStatus.DriverOk) != 0)
            {
                for (int queue = 0; queue < Queues.Length; queue++)
                    Work(queue);
            }
        }
        Deliver();
    }

    internal uint ReadOfferedFeatures(uint half) => half < 2 ? (uint)(OfferedFeatures >> (int)(32 * half)) : 0;

    internal uint ReadAcceptedFeatures(uint half) => half < 2 ? (uint)(_features >> (int)(32 * half)) : 0;

    internal void WriteAcceptedFeatures(uint half, uint value)
    {
        lock (Gate)
        {
            if (half > 1 || (_status & VirtioStatus.FeaturesOk) != 0)
                return;
            int shift = (int)(32 * half);
            _features = (_features & ~((ulong)uint.MaxValue << shift)) | (ulong)value << shift;
        }
    }

    internal void EnableQueue(int queue)
    {
        lock (Gate)
        {
            if (!Queues[queue].TryEnable())
                Break(Queues[queue].Fault!);
        }
        Deliver();
    }

    internal void ResetDevice()
    {
        lock (Gate)
            Reset();
    }

    /// <summary>The driver says that a queue has something new; any number may come.</summary>
    internal void Notify(uint queue)
    {
        if (queue >= (uint)Queues.Length)
            return;
        lock (Gate)
            Work((int)queue);
        Deliver();
    }

    internal void WriteConfiguration(int offset, int size, uint value)
    {
        lock (Gate)
        {
            if (offset + size <= Configuration.Length)
                OnConfigurationWritten(offset, size, value);
        }
    }

    internal uint ReadConfiguration(int offset, int size)
    {
        lock (Gate)
        {
            uint value = 0;
            for (int index = 0; index < size && offset + index < Configuration.Length; index++)
                value |= (uint)Configuration[offset + index] << (8 * index);
            return value;
        }
    }

    /// <summary>Serves what a queue waits for because of something that happened outside, such as input.</summary>
    private protected void Serve(int queue)
    {
        lock (Gate)
            Work(queue);
        Deliver();
    }

    private protected bool HasFeature(int bit) => (_features >> bit & 1) != 0;

    /// <summary>Serves the next request of a queue, under the lock.</summary>
    /// <returns>About how many bytes of work that was; 0 = there was nothing to do.</returns>
    private protected abstract int ServeNext(int queue);

    /// <summary>Takes the next request of a queue; one at a time.</summary>
    private protected VirtioRequest? Take(int queue) => Queues[queue].TryTake(_request) ? _request : null;

    /// <summary>Gives back the request taken.</summary>
    private protected void Complete(int queue, uint written) => Queues[queue].TryComplete(_request, written);

    /// <summary>The driver broke the rules: nothing more is done until it resets the device.</summary>
    private protected void Break(string fault)
    {
        Fault ??= fault;
        if ((_status & VirtioStatus.NeedsReset) != 0)
            return;
        _status |= VirtioStatus.NeedsReset;
        _configurationToSignal |= (_status & VirtioStatus.DriverOk) != 0;
    }

    private protected virtual void OnConfigurationWritten(int offset, int size, uint value)
    {
    }

    private protected virtual void OnReset()
    {
    }

    private protected virtual void OnDispose()
    {
    }

    private protected virtual void ExchangeKindState(DeviceStateExchange state)
    {
    }

    private void ApplyFeatures()
    {
        foreach (Virtqueue queue in Queues)
        {
            queue.HasEventIndex = HasFeature(EventIndex);
            queue.HasIndirect = HasFeature(IndirectDescriptors);
        }
    }

    private void Reset()
    {
        _status = VirtioStatus.None;
        _features = 0;
        _deferred = 0;
        _queuesToSignal = 0;
        _configurationToSignal = false;
        _continuation.Disarm();
        Fault = null;
        foreach (Virtqueue queue in Queues)
            queue.Reset();
        OnReset();
    }

    private void Continue()
    {
        lock (Gate)
        {
            uint queues = _deferred;
            _deferred = 0;
            for (int queue = 0; queues != 0; queue++, queues >>= 1)
            {
                if ((queues & 1) != 0)
                    Work(queue);
            }
            if (_deferred != 0)
                _continuation.Arm(_clock.Nanoseconds);
        }
        Deliver();
    }

    private void Work(int queue)
    {
        long done = 0;
        int cost = 1;
        while (CanWork && cost > 0 && done < Slice)
        {
            cost = ServeNext(queue);
            done += cost;
            if (Queues[queue].Fault is { } fault)
                Break($"queue {queue}: {fault}");
        }
        if (CanWork && cost > 0)
        {
            _deferred |= 1u << queue;
            _continuation.Arm(_clock.Nanoseconds);
        }
        if (Queues[queue].TakeInterruptWish())
            _queuesToSignal |= 1u << queue;
    }

    private void Deliver()
    {
        uint queues;
        bool configuration;
        lock (Gate)
        {
            queues = _queuesToSignal;
            configuration = _configurationToSignal;
            _queuesToSignal = 0;
            _configurationToSignal = false;
        }
        if (queues != 0)
            _transport?.SignalQueues(queues);
        if (configuration)
            _transport?.SignalConfiguration();
    }
}
