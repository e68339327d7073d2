using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private const uint InterruptFlag = 0x200;

    protected override Interruptible InterruptibleCore
    {
        get
        {
            ReadOnlySpan<WhvRegisterName> names =
                [WhvRegisterName.Rflags, WhvRegisterName.InterruptState, WhvRegisterName.PendingInterruption, WhvRegisterName.PendingEvent];
            WhvRegisterValue* values = Read(names);
            if (values[2].PendingInterruption.InterruptionPending || values[3].ExceptionEvent.EventPending || values[1].InterruptState.InterruptShadow)
                return Interruptible.None;
            Interruptible now = values[1].InterruptState.NmiMasked ? Interruptible.None : Interruptible.Nmi;
            return (values[0].Reg64 & InterruptFlag) != 0 ? now | Interruptible.Maskable : now;
        }
    }

    /// <summary>Hands the platform one event, if one can be taken now. True: nothing waits any more.</summary>
    private bool TryDeliver(out Interruptible possible)
    {
        possible = Interruptible.None;
        // An event that is being delivered already goes first.
        WhvRegisterValue* values = Read([WhvRegisterName.PendingInterruption, WhvRegisterName.PendingEvent]);
        if (values[0].PendingInterruption.InterruptionPending || values[1].ExceptionEvent.EventPending)
            return false;
        Interruptible now = InterruptibleCore;
        if (!TryTakeEvent(now, out InjectedEvent taken))
        {
            possible = now;
            return false;
        }
        Deliver(in taken);
        return !EventsWaiting;
    }

    private void Deliver(in InjectedEvent taken)
    {
        WhvRegisterValue value = default;
        WhvRegisterName name = WhvRegisterName.PendingInterruption;
        if (taken.Kind == InjectedEventKind.Exception)
        {
            name = WhvRegisterName.PendingEvent;
            value.ExceptionEvent = new WhvX64PendingExceptionEvent
            {
                EventPending = true,
                EventType = (byte)WhvX64PendingEventType.Exception,
                DeliverErrorCode = taken.HasErrorCode,
                Vector = taken.Vector,
                ErrorCode = taken.ErrorCode,
                ExceptionParameter = taken.Payload,
            };
        }
        else if (taken.Kind == InjectedEventKind.ExternalInterrupt && _partition.HasLocalApic)
        {
            name = WhvRegisterName.PendingEvent;
            value.ExtIntEvent = new WhvX64PendingExtIntEvent { EventPending = true, EventType = (byte)WhvX64PendingEventType.ExtInt, Vector = taken.Vector };
        }
        else
        {
            bool nmi = taken.Kind == InjectedEventKind.NonMaskableInterrupt;
            value.PendingInterruption = new WhvX64PendingInterruptionRegister
            {
                InterruptionPending = true,
                InterruptionType = (byte)(nmi ? WhvX64PendingInterruptionType.Nmi : WhvX64PendingInterruptionType.Interrupt),
                InterruptionVector = nmi ? (ushort)2 : taken.Vector,
            };
        }
        Write(name, value);
        _halted = false;
        if (_partition.HasLocalApic)
            WakeFromHalt();
    }

    // A processor that waits inside the platform looks at a pending event only once it does not wait any more.
    private void WakeFromHalt()
    {
        WhvRegisterValue activity = ReadOne(WhvRegisterName.InternalActivityState);
        if (!activity.InternalActivity.HaltSuspend)
            return;
        activity.InternalActivity.HaltSuspend = false;
        Write(WhvRegisterName.InternalActivityState, activity);
    }

    // Something waits that cannot be taken yet, so it is of a kind that is not possible now: the platform shall say when it is. The
    // notification is good for one exit.
    private void WaitForWindow(Interruptible possible)
    {
        if (_poll is not null)
        {
            _poll.Change(PollMilliseconds, Timeout.Infinite);
            return;
        }
        WhvRegisterValue value = default;
        value.DeliverabilityNotifications = new WhvDeliverabilityNotificationsRegister
        {
            NmiNotification = (possible & Interruptible.Nmi) == 0, InterruptNotification = (possible & Interruptible.Maskable) == 0,
        };
        Write(WhvRegisterName.DeliverabilityNotifications, value);
    }
}
