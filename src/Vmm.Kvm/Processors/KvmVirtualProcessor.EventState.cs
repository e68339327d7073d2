using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    private const uint MpRunnable = 0, MpUninitialized = 1, MpInitReceived = 2, MpHalted = 3;

    private void ReadEvents(ref EventState state)
    {
        ref readonly KvmVcpuEvents events = ref Events;
        state.Shadow = ShadowOf(events.InterruptShadow);
        state.NmiBlocked = events.NmiMasked != 0;
        state.NmiPending = events.NmiPending != 0;
        state.PendingDebugTrap = _debugTrap;
        if (events.ExceptionPending != 0 && events.ExceptionVector == DebugVector && events.ExceptionHasPayload != 0)
            state.PendingDebugTrap = (uint)events.ExceptionPayload;
        else
            state.HasDelivering = TryReadDelivery(in events, out state.Delivering);
        state.Activity = _isShutDown ? ProcessorActivity.Shutdown : _halted ? ProcessorActivity.Halted : ProcessorActivity.Running;
        if (!_isShutDown && _partition.HasLocalApic)
        {
            state.Activity = ReadMpState() switch
            {
                MpUninitialized or MpInitReceived => ProcessorActivity.WaitForSipi,
                MpHalted => ProcessorActivity.Halted,
                _ => ProcessorActivity.Running,
            };
        }
    }

    // AMD's processors have one shadow for both, which the kernel tells as both (APM Vol. 2, 15.21.5); Intel's never have both.
    internal static InterruptibilityShadow ShadowOf(byte bits) => (bits & (KvmVcpuEvents.ShadowMovSs | KvmVcpuEvents.ShadowSti)) switch
    {
        0 => InterruptibilityShadow.None,
        KvmVcpuEvents.ShadowMovSs => InterruptibilityShadow.MovSs,
        _ => InterruptibilityShadow.Sti,
    };

    private void WriteEvents(in EventState state)
    {
        if (state.InitPending || state.StartupPending)
            _partition.Capabilities.Require(Capability.StartupState);
        FlushGeneral();
        // The NMI that waits is the base's: it hands it to the kernel again.
        KvmVcpuEvents wanted = Events;
        wanted.ExceptionInjected = wanted.ExceptionPending = wanted.ExceptionHasPayload = 0;
        wanted.InterruptInjected = wanted.InterruptSoft = 0;
        wanted.NmiInjected = wanted.NmiPending = 0;
        wanted.NmiMasked = state.NmiBlocked ? (byte)1 : (byte)0;
        wanted.InterruptShadow = state.Shadow switch
        {
            InterruptibilityShadow.MovSs => KvmVcpuEvents.ShadowMovSs,
            InterruptibilityShadow.Sti => KvmVcpuEvents.ShadowSti,
            _ => 0,
        };
        _nmiHanded = false;
        _debugTrap = 0;
        if (state.HasDelivering)
        {
            Fill(ref wanted, in state.Delivering);
            _debugTrap = state.PendingDebugTrap;
        }
        else if (state.PendingDebugTrap != 0)
        {
            FillTrap(ref wanted, state.PendingDebugTrap);
        }
        _run->Events = wanted;
        SetEvents();
        _isShutDown = state.Activity == ProcessorActivity.Shutdown;
        _halted = !_partition.HasLocalApic && state.Activity == ProcessorActivity.Halted;
        if (_partition.HasLocalApic)
        {
            WriteMpState(state.Activity switch
            {
                ProcessorActivity.WaitForSipi => MpInitReceived,
                ProcessorActivity.Halted => MpHalted,
                _ => MpRunnable,
            });
        }
    }

    private bool TryReadDelivery(in KvmVcpuEvents events, out InjectedEvent delivering)
    {
        delivering = default;
        if ((events.ExceptionInjected | events.ExceptionPending) != 0)
        {
            delivering = new InjectedEvent
            {
                Kind = InjectedEventKind.Exception, Vector = events.ExceptionVector, HasErrorCode = events.ExceptionHasErrorCode != 0,
                ErrorCode = events.ExceptionErrorCode,
                Payload = events.ExceptionHasPayload != 0 ? events.ExceptionPayload : DeliveredPayload(events.ExceptionVector),
            };
            return true;
        }
        if (events.NmiInjected != 0)
        {
            delivering = InjectedEvent.Nmi;
            return true;
        }
        if (events.InterruptInjected == 0)
            return false;
        delivering = InjectedEvent.Interrupt(events.InterruptVector);
        return true;
    }

    // It is in its register by the time that the delivery has begun.
    private ulong DeliveredPayload(byte vector)
    {
        if (vector == PageFaultVector)
            return Special.Cr2;
        if (vector != DebugVector)
            return 0;
        DebugRegisters debug = default;
        ReadDebug(ref debug);
        return debug.Dr6 & 0xE00F;
    }

    private uint ReadMpState()
    {
        uint state;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetMpState, &state), "KVM_GET_MP_STATE");
        return state;
    }

    private void WriteMpState(uint state) =>
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetMpState, &state), "KVM_SET_MP_STATE", $"{state}");
}
