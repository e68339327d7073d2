using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed unsafe partial class SimulatedProcessor
{
    private const int PollMilliseconds = 1;

    private readonly IInterruptWindow? _window;
    private WhvX64PendingInterruptionRegister _interruption;
    private WhvX64PendingExceptionEvent _pendingEvent;
    private WhvDeliverabilityNotificationsRegister _notifications;

    // Both registers mean: delivered at the next entry, whatever the flags say.
    private void InjectPending()
    {
        if (_interruption.InterruptionPending)
        {
            _inner.Inject((WhvX64PendingInterruptionType)_interruption.InterruptionType switch
            {
                WhvX64PendingInterruptionType.Nmi => InjectedEvent.Nmi,
                WhvX64PendingInterruptionType.Interrupt => InjectedEvent.Interrupt((byte)_interruption.InterruptionVector),
                _ => new InjectedEvent
                {
                    Kind = InjectedEventKind.Exception, Vector = (byte)_interruption.InterruptionVector,
                    HasErrorCode = _interruption.DeliverErrorCode, ErrorCode = _interruption.ErrorCode,
                },
            });
            _interruption = default;
        }
        if (!_pendingEvent.EventPending)
            return;
        WhvX64PendingExceptionEvent pending = _pendingEvent;
        _pendingEvent = default;
        _inner.Inject(pending.EventType == (byte)WhvX64PendingEventType.Exception
            ? new InjectedEvent
            {
                Kind = InjectedEventKind.Exception, Vector = (byte)pending.Vector, HasErrorCode = pending.DeliverErrorCode,
                ErrorCode = pending.ErrorCode, Payload = pending.ExceptionParameter,
            }
            : InjectedEvent.Interrupt(new WhvRegisterValue { ExceptionEvent = pending }.ExtIntEvent.Vector));
    }

    // A processor behind that knows no windows has to be looked at.
    private Timer? StartWindow()
    {
        if (_partition.HasLocalApic)
            return null;
        Interruptible wanted = (_notifications.InterruptNotification ? Interruptible.Maskable : Interruptible.None)
            | (_notifications.NmiNotification ? Interruptible.Nmi : Interruptible.None);
        if (_window is not null)
            _window.Window = wanted;
        return _window is null && wanted != Interruptible.None
            ? new Timer(static processor => ((IVirtualProcessor)processor!).Cancel(), _inner, PollMilliseconds, PollMilliseconds)
            : null;
    }

    private bool IsWindowOpen()
    {
        if (_window is not null || _notifications.AsUInt64 == 0)
            return false;
        _inner.GetState(RegisterGroups.Events | RegisterGroups.General, out ProcessorState state);
        if (state.Events.Shadow != InterruptibilityShadow.None)
            return false;
        return (_notifications.NmiNotification && !state.Events.NmiBlocked)
            || (_notifications.InterruptNotification && (state.General.Rflags & 0x200) != 0);
    }

    private void ReportWindow(WhvRunVpExitContext* context)
    {
        _notifications = default;
        Report(context, WhvRunVpExitReason.X64InterruptWindow);
        context->InterruptWindow.DeliverableType = WhvX64PendingInterruptionType.Interrupt;
    }
}
