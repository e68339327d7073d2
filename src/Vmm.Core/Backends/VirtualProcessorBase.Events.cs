namespace Vmm;

public abstract partial class VirtualProcessorBase
{
    private readonly Lock _eventLock = new();
    private InjectedEvent _event;
    private bool _hasEvent;
    private bool _nmi;
    private int _eventsWaiting; // read without the lock
    private ulong _eventsDelivered;

    /// <inheritdoc/>
    public InjectionResult Inject(in InjectedEvent injected)
    {
        _partition.ThrowIfDisposed();
        if (injected.Kind > InjectedEventKind.Exception)
            throw new ArgumentOutOfRangeException(nameof(injected), injected.Kind, "Unknown kind of event.");
        if (injected.Kind == InjectedEventKind.Exception && injected.Vector is > 31 or 2)
            throw new ArgumentOutOfRangeException(nameof(injected), injected.Vector, "An exception has a vector from 0 to 31, and not 2: that is an NMI's.");
        lock (_eventLock)
        {
            bool nmi = injected.Kind == InjectedEventKind.NonMaskableInterrupt;
            if (nmi ? _nmi : _hasEvent)
                throw new InvalidOperationException($"Processor {Index} still holds {(nmi ? "an NMI" : $"{_event.Kind} {_event.Vector}")} that the guest has not taken.");
            if (nmi)
            {
                _nmi = true;
            }
            else
            {
                _event = injected;
                _hasEvent = true;
            }
            _eventsWaiting++;
        }
        InjectionResult result = InjectionResult.Deferred;
        // Only the owner of a processor at rest may look at its flags; a running one takes the event when it can.
        if (Interlocked.CompareExchange(ref _owner, Glance, null) is null)
        {
            try
            {
                Interruptible now = _partition.IsDisposed ? Interruptible.None : InterruptibleCore;
                bool deliverable = injected.Kind switch
                {
                    InjectedEventKind.Exception => true,
                    InjectedEventKind.NonMaskableInterrupt => (now & Interruptible.Nmi) != 0,
                    _ => (now & Interruptible.Maskable) != 0,
                };
                if (deliverable)
                    result = InjectionResult.Injected;
            }
            finally
            {
                EndExclusive();
            }
        }
        NotifyEvent();
        return result;
    }

    /// <summary>What the guest can take now. Called only while the processor is at rest or from its own loop.</summary>
    protected abstract Interruptible InterruptibleCore { get; }

    /// <summary>An event may be waiting: the processor's loop shall look, without leaving <see cref="RunCore"/>. Any thread.</summary>
    protected abstract void NotifyEventCore();

    /// <summary>Something waits: an injected event, or the external interrupt source is asserted. Cheap; for the backend's loop.</summary>
    protected bool EventsWaiting =>
        Volatile.Read(ref _eventsWaiting) != 0 || (_partition.ExternalInterruptSource is { } source && AcceptsExternalSource && source.Asserted);

    /// <summary>
    /// The external interrupt source reaches this processor: by default the bootstrap processor. A backend with a local APIC says whether
    /// LINT0 lets it through.
    /// </summary>
    protected virtual bool AcceptsExternalSource => Index == 0;

    /// <summary>
    /// Takes the event to deliver now, by priority: exception, NMI, injected interrupt, external source. The backend must then deliver it
    /// before the next instruction.
    /// </summary>
    /// <param name="interruptible">What the guest can take.</param>
    /// <param name="taken">The event.</param>
    protected bool TryTakeEvent(Interruptible interruptible, out InjectedEvent taken)
    {
        if (Volatile.Read(ref _eventsWaiting) != 0 && TryTakeInjected(interruptible, out taken))
        {
            _eventsDelivered++;
            return true;
        }
        if ((interruptible & Interruptible.Maskable) != 0 && AcceptsExternalSource && _partition.ExternalInterruptSource is { Asserted: true } source)
        {
            int vector = source.Acknowledge();
            if (vector is >= 0 and <= 255)
            {
                _eventsDelivered++;
                taken = InjectedEvent.Interrupt((byte)vector);
                return true;
            }
        }
        taken = default;
        return false;
    }

    /// <summary>
    /// An injected NMI waits. For backends whose platform keeps it until the guest can take it: those say <see cref="NmiTaken"/> then.
    /// </summary>
    protected bool NmiWaits => Volatile.Read(ref _nmi);

    /// <summary>The guest has taken the NMI that waited.</summary>
    protected void NmiTaken()
    {
        lock (_eventLock)
        {
            if (!_nmi)
                return;
            _nmi = false;
            _eventsWaiting--;
            _eventsDelivered++;
        }
    }

    internal void NotifyEvent() => NotifyEventCore();

    private bool TryTakeInjected(Interruptible interruptible, out InjectedEvent taken)
    {
        lock (_eventLock)
        {
            taken = default;
            if (_hasEvent && _event.Kind == InjectedEventKind.Exception)
            {
                taken = _event;
                _hasEvent = false;
            }
            else if (_nmi && (interruptible & Interruptible.Nmi) != 0)
            {
                taken = InjectedEvent.Nmi;
                _nmi = false;
            }
            else if (_hasEvent && (interruptible & Interruptible.Maskable) != 0)
            {
                taken = _event;
                _hasEvent = false;
            }
            else
            {
                return false;
            }
            _eventsWaiting--;
            return true;
        }
    }

    private void ClearEvents()
    {
        lock (_eventLock)
        {
            _hasEvent = _nmi = false;
            _eventsWaiting = 0;
        }
    }

    private void GetPendingEvents(ref EventState events)
    {
        lock (_eventLock)
        {
            events.NmiPending |= _nmi;
            events.HasPending = _hasEvent;
            events.Pending = _hasEvent ? _event : default;
        }
    }

    private void SetPendingEvents(in EventState events)
    {
        lock (_eventLock)
        {
            _nmi = events.NmiPending;
            _hasEvent = events.HasPending;
            _event = events.Pending;
            _eventsWaiting = (_nmi ? 1 : 0) + (_hasEvent ? 1 : 0);
        }
        NotifyEvent();
    }
}

/// <summary>Which events a guest can take at this instruction boundary.</summary>
[Flags]
public enum Interruptible
{
    /// <summary>Exceptions only.</summary>
    None = 0,

    /// <summary>Maskable interrupts: IF is set and no shadow is in force.</summary>
    Maskable = 1,

    /// <summary>NMIs: not blocked.</summary>
    Nmi = 2,
}
