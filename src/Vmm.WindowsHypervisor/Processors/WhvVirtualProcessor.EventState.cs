using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private const uint SingleStepTrap = 1 << 14;

    private void ReadEvents(ref EventState events)
    {
        WhvRegisterValue* v = Read(WhvRegisterNames.Events.AsSpan(0, WhvRegisterNames.Events.Length - (_hasPendingDebug ? 0 : 1)));
        events.Shadow = v[0].InterruptState.InterruptShadow ? InterruptibilityShadow.Sti : InterruptibilityShadow.None;
        events.NmiBlocked = v[0].InterruptState.NmiMasked;
        WhvX64PendingDebugException debug = _hasPendingDebug ? v[3].PendingDebugException : default;
        events.PendingDebugTrap = (uint)(debug.AsUInt64 & 0xF) | (debug.SingleStep ? SingleStepTrap : 0) | _pendingTrap;
        events.HasDelivering = TryReadDelivery(v[1].PendingInterruption, v[2].ExceptionEvent, out events.Delivering);
        events.Activity = _halted ? ProcessorActivity.Halted : ProcessorActivity.Running;
        if (!_partition.HasLocalApic)
            return;
        WhvInternalActivityRegister activity = ReadOne(WhvRegisterName.InternalActivityState).InternalActivity;
        if (activity.StartupSuspend)
            events.Activity = ProcessorActivity.WaitForSipi;
        else if (activity.HaltSuspend)
            events.Activity = ProcessorActivity.Halted;
    }

    private void WriteEvents(in EventState events)
    {
        if (events.InitPending || events.StartupPending)
            _partition.Capabilities.Require(Capability.StartupState);
        WhvRegisterValue value = default;
        value.InterruptState = new WhvX64InterruptStateRegister
        {
            InterruptShadow = events.Shadow != InterruptibilityShadow.None, NmiMasked = events.NmiBlocked,
        };
        Write(WhvRegisterName.InterruptState, value);
        if (_hasPendingDebug)
        {
            value = default;
            value.PendingDebugException.AsUInt64 = events.PendingDebugTrap & 0xF;
            value.PendingDebugException.SingleStep = (events.PendingDebugTrap & SingleStepTrap) != 0;
            Write(WhvRegisterName.PendingDebugException, value);
        }
        else
        {
            _pendingTrap = events.PendingDebugTrap;
        }
        Write(WhvRegisterName.PendingInterruption, default);
        Write(WhvRegisterName.PendingEvent, default);
        if (events.HasDelivering)
            Deliver(in events.Delivering);
        _halted = !_partition.HasLocalApic && events.Activity == ProcessorActivity.Halted;
        if (!_partition.HasLocalApic)
            return;
        value = default;
        value.InternalActivity = new WhvInternalActivityRegister
        {
            StartupSuspend = events.Activity == ProcessorActivity.WaitForSipi, HaltSuspend = events.Activity == ProcessorActivity.Halted,
        };
        Write(WhvRegisterName.InternalActivityState, value);
    }

    // Where the platform has no register for a trap that waits, it is delivered as an exception.
    private void DeliverPendingTrap()
    {
        WhvRegisterValue* values = Read([WhvRegisterName.PendingInterruption, WhvRegisterName.PendingEvent]);
        if (values[0].PendingInterruption.InterruptionPending || values[1].ExceptionEvent.EventPending)
            return;
        Deliver(DebugTrap(_pendingTrap));
        _pendingTrap = 0;
    }

    private static bool TryReadDelivery(
        WhvX64PendingInterruptionRegister interruption, WhvX64PendingExceptionEvent pending, out InjectedEvent delivering)
    {
        delivering = default;
        if (pending.EventPending)
        {
            delivering = pending.EventType == (byte)WhvX64PendingEventType.Exception
                ? new InjectedEvent
                {
                    Kind = InjectedEventKind.Exception, Vector = (byte)pending.Vector, HasErrorCode = pending.DeliverErrorCode,
                    ErrorCode = pending.ErrorCode, Payload = pending.ExceptionParameter,
                }
                : InjectedEvent.Interrupt(new WhvRegisterValue { ExceptionEvent = pending }.ExtIntEvent.Vector);
            return true;
        }
        if (!interruption.InterruptionPending)
            return false;
        delivering = (WhvX64PendingInterruptionType)interruption.InterruptionType switch
        {
            WhvX64PendingInterruptionType.Nmi => InjectedEvent.Nmi,
            WhvX64PendingInterruptionType.Exception => new InjectedEvent
            {
                Kind = InjectedEventKind.Exception, Vector = (byte)interruption.InterruptionVector, HasErrorCode = interruption.DeliverErrorCode,
                ErrorCode = interruption.ErrorCode,
            },
            _ => InjectedEvent.Interrupt((byte)interruption.InterruptionVector),
        };
        return true;
    }
}
