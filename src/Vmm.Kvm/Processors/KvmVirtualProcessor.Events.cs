using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    private const ulong InterruptFlag = 0x200;
    private const byte DebugVector = 1, PageFaultVector = 14;

    private bool _nmiHanded; // the kernel has the NMI that the base holds
    private uint _debugTrap; // DR6 bits of a trap that the kernel has no place for as long as something else is being delivered
    private bool _asksLint0, _lint0Open;

    protected override Interruptible InterruptibleCore
    {
        get
        {
            ref readonly KvmVcpuEvents events = ref Events;
            if ((events.ExceptionInjected | events.ExceptionPending | events.InterruptInjected | events.NmiInjected
                | events.InterruptShadow) != 0)
                return Interruptible.None;
            Interruptible now = events.NmiMasked != 0 ? Interruptible.None : Interruptible.Nmi;
            return (General.Rflags & InterruptFlag) != 0 ? now | Interruptible.Maskable : now;
        }
    }

    // Whether LINT0 lets a PIC through is asked only where something waits.
    protected override bool AcceptsExternalSource => Index == 0 && (!_asksLint0 || _lint0Open);

    private ref KvmVcpuEvents Events
    {
        get
        {
            if ((_cached & KvmRun.SyncEvents) == 0)
            {
                KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetVcpuEvents, &_run->Events), "KVM_GET_VCPU_EVENTS");
                _eventReads++;
                _cached |= KvmRun.SyncEvents;
            }
            return ref _run->Events;
        }
    }

    /// <summary>Gives the kernel what the guest can take now, and asks it to tell when it can take the rest.</summary>
    private void DeliverEvents()
    {
        LookAtNmi();
        // The kernel keeps an NMI until it is not blocked any more, and looks at once.
        if (NmiWaits && !_nmiHanded)
        {
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.Nmi, 0), "KVM_NMI");
            _cached &= ~KvmRun.SyncEvents;
            _nmiHanded = true;
        }
        if (_debugTrap != 0 && CanBegin)
        {
            FlushGeneral();
            FillTrap(ref Events, _debugTrap);
            SetEvents();
            _debugTrap = 0;
        }
        Interruptible now = InterruptibleCore;
        // It goes before maskable interrupts.
        if (_nmiHanded && (now & Interruptible.Nmi) != 0)
            now &= ~Interruptible.Maskable;
        if (_partition.HasLocalApic)
            _lint0Open = PassesExternal();
        _asksLint0 = _partition.HasLocalApic;
        bool anything = CanBegin && TryTakeEvent(now & ~Interruptible.Nmi, out InjectedEvent taken) && Begin(in taken);
        _asksLint0 = false;
        bool wait = EventsWaiting;
        _run->RequestInterruptWindow = wait ? (byte)1 : (byte)0;
        if (wait && !anything)
            _poll?.Change(PollMilliseconds, Timeout.Infinite);
    }

    private void LookAtNmi()
    {
        if (!_nmiHanded || (Events.NmiPending | Events.NmiInjected) != 0)
            return;
        _nmiHanded = false;
        NmiTaken();
    }

    // A processor that halts is woken by an NMI, whatever its flags say; the kernel delivers it when it is entered.
    private bool IsNmiDue => _nmiHanded && Events.NmiMasked == 0;

    // An event that is being delivered already goes first.
    private bool CanBegin
    {
        get
        {
            ref readonly KvmVcpuEvents events = ref Events;
            return (events.ExceptionInjected | events.ExceptionPending | events.InterruptInjected | events.NmiInjected) == 0;
        }
    }

    private bool Begin(in InjectedEvent taken)
    {
        FlushGeneral();
        Fill(ref Events, in taken);
        SetEvents();
        _halted = false;
        if (_partition.HasLocalApic && ReadMpState() == MpHalted)
            WriteMpState(MpRunnable);
        return true;
    }

    private void SetEvents()
    {
        _run->Events.Flags = KvmVcpuEvents.ValidNmiPending | KvmVcpuEvents.ValidShadow
            | (_partition.Platform.HasExceptionPayload ? KvmVcpuEvents.ValidPayload : 0);
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetVcpuEvents, &_run->Events), "KVM_SET_VCPU_EVENTS");
        _cached &= ~KvmRun.SyncEvents;
    }

    // The delivery begins: CR2 and DR6 are what the event makes of them (SDM Vol. 3A 6.15).
    private void Fill(ref KvmVcpuEvents events, in InjectedEvent taken)
    {
        switch (taken.Kind)
        {
            case InjectedEventKind.ExternalInterrupt:
                events.InterruptInjected = 1;
                events.InterruptVector = taken.Vector;
                events.InterruptSoft = 0;
                break;
            case InjectedEventKind.NonMaskableInterrupt:
                events.NmiInjected = 1;
                events.NmiMasked = 1;
                break;
            default:
                events.ExceptionInjected = 1;
                events.ExceptionPending = 0;
                events.ExceptionHasPayload = 0;
                events.ExceptionVector = taken.Vector;
                events.ExceptionHasErrorCode = taken.HasErrorCode ? (byte)1 : (byte)0;
                events.ExceptionErrorCode = taken.ErrorCode;
                Deliver(in taken);
                break;
        }
    }

    private static void FillTrap(ref KvmVcpuEvents events, uint trap)
    {
        events.ExceptionPending = 1;
        events.ExceptionVector = DebugVector;
        events.ExceptionHasErrorCode = 0;
        events.ExceptionHasPayload = 1;
        events.ExceptionPayload = trap;
    }

    private void Deliver(in InjectedEvent exception)
    {
        ProcessorState state = default;
        switch (exception.Vector)
        {
            case PageFaultVector:
                GetStateCore(RegisterGroups.Control, ref state);
                state.Control.Cr2 = exception.Payload;
                WriteSpecial(RegisterGroups.Control, in state);
                break;
            case DebugVector:
                GetStateCore(RegisterGroups.Debug, ref state);
                state.Debug.Dr6 |= exception.Payload;
                WriteDebug(in state.Debug);
                break;
        }
    }
}
