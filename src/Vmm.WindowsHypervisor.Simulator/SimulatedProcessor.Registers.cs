using System.Collections.Frozen;
using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Processors;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed unsafe partial class SimulatedProcessor
{
    private const int Alignment = 16;

    private static readonly FrozenDictionary<WhvRegisterName, uint> s_msrs = WhvRegisterNames.Msrs
        .Select(msr => (Name: WhvRegisterNames.TryGetMsr(msr, out WhvRegisterName name) ? name : default, Msr: msr))
        .ToFrozenDictionary(entry => entry.Name, entry => entry.Msr);

    /// <summary>Reads registers: all, or none where one of the names is wrong.</summary>
    public int GetRegisters(WhvRegisterName* names, uint count, WhvRegisterValue* values)
    {
        if (((ulong)values & (Alignment - 1)) != 0 || names is null || values is null)
            return WhvHResult.InvalidArgument;
        if (Interlocked.Exchange(ref _running, 1) != 0)
            return WhvHResult.InvalidVpState;
        try
        {
            _inner.GetState(RegisterGroups.All, out ProcessorState state);
            for (uint i = 0; i < count; i++)
            {
                int result = Get(names[i], in state, out values[i]);
                if (result < 0)
                    return result;
            }
            return WhvHResult.Ok;
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    /// <summary>Writes registers: all, or none where one of the names is wrong.</summary>
    public int SetRegisters(WhvRegisterName* names, uint count, WhvRegisterValue* values)
    {
        if (((ulong)values & (Alignment - 1)) != 0 || names is null || values is null)
            return WhvHResult.InvalidArgument;
        if (Interlocked.Exchange(ref _running, 1) != 0)
            return WhvHResult.InvalidVpState;
        try
        {
            _inner.GetState(RegisterGroups.All, out ProcessorState state);
            ProcessorState before = state;
            for (uint i = 0; i < count; i++)
            {
                int result = Set(names[i], values[i], ref state);
                if (result < 0)
                    return result;
            }
            // A processor that met a triple fault lives again once its registers are set.
            if (state.Events.Activity == ProcessorActivity.Shutdown)
                state.Events.Activity = ProcessorActivity.Running;
            if (state != before)
                _inner.SetState(RegisterGroups.All, in state);
            return WhvHResult.Ok;
        }
        catch (ArgumentException)
        {
            return WhvHResult.HvInvalidParameter;
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    private int Get(WhvRegisterName name, in ProcessorState state, out WhvRegisterValue value)
    {
        value = default;
        if (TryRegister(name, out Register register))
        {
            value.Reg64 = state.GetRegister(register);
            return name != WhvRegisterName.XCr0 || !Platform.IsOld ? WhvHResult.Ok : WhvHResult.InvalidVpRegisterName;
        }
        switch (name)
        {
            case >= WhvRegisterName.Es and <= WhvRegisterName.Tr:
                value.Segment = Segment(SegmentOf(in state.Segments, name));
                return WhvHResult.Ok;
            case WhvRegisterName.Idtr:
                value.Table = new WhvX64TableRegister { Base = state.Segments.Idtr.Base, Limit = state.Segments.Idtr.Limit };
                return WhvHResult.Ok;
            case WhvRegisterName.Gdtr:
                value.Table = new WhvX64TableRegister { Base = state.Segments.Gdtr.Base, Limit = state.Segments.Gdtr.Limit };
                return WhvHResult.Ok;
            case WhvRegisterName.InterruptState:
                value.InterruptState = new WhvX64InterruptStateRegister
                {
                    InterruptShadow = state.Events.Shadow != InterruptibilityShadow.None, NmiMasked = state.Events.NmiBlocked,
                };
                return WhvHResult.Ok;
            case WhvRegisterName.PendingInterruption:
                value.PendingInterruption = _interruption;
                return WhvHResult.Ok;
            case WhvRegisterName.PendingEvent:
                value.ExceptionEvent = _pendingEvent;
                return WhvHResult.Ok;
            case WhvRegisterName.PendingDebugException when !Platform.IsOld:
                value.PendingDebugException.AsUInt64 = state.Events.PendingDebugTrap & 0xF;
                value.PendingDebugException.SingleStep = (state.Events.PendingDebugTrap & SingleStepTrap) != 0;
                return WhvHResult.Ok;
            case WhvRegisterName.DeliverabilityNotifications:
                value.DeliverabilityNotifications = _notifications;
                return WhvHResult.Ok;
            case WhvRegisterName.InternalActivityState when _partition.HasLocalApic:
                value.InternalActivity = new WhvInternalActivityRegister
                {
                    StartupSuspend = state.Events.Activity == ProcessorActivity.WaitForSipi, HaltSuspend = state.Events.Activity == ProcessorActivity.Halted,
                };
                return WhvHResult.Ok;
            case WhvRegisterName.InternalActivityState:
                return WhvHResult.HvAccessDenied;
            case WhvRegisterName.ApicTpr:
                return WhvHResult.HvInvalidParameter;
            default:
                return GetOther(name, ref value);
        }
    }

    private int Set(WhvRegisterName name, in WhvRegisterValue value, ref ProcessorState state)
    {
        if (TryRegister(name, out Register register))
        {
            if (name == WhvRegisterName.XCr0 && Platform.IsOld)
                return WhvHResult.InvalidVpRegisterName;
            const ulong Enabled = 0x800, X2Apic = 0x400;
            // x2APIC mode is left to the disabled state only.
            if (name == WhvRegisterName.ApicBase && (state.Control.ApicBase & X2Apic) != 0 && (value.Reg64 & (Enabled | X2Apic)) == Enabled)
                return WhvHResult.HvInvalidParameter;
            state.SetRegister(register, value.Reg64);
            return WhvHResult.Ok;
        }
        switch (name)
        {
            case >= WhvRegisterName.Es and <= WhvRegisterName.Tr:
                SetSegment(ref state.Segments, name, value.Segment);
                return WhvHResult.Ok;
            case WhvRegisterName.Idtr:
                state.Segments.Idtr = new TableDescriptor(value.Table.Base, value.Table.Limit);
                return WhvHResult.Ok;
            case WhvRegisterName.Gdtr:
                state.Segments.Gdtr = new TableDescriptor(value.Table.Base, value.Table.Limit);
                return WhvHResult.Ok;
            case WhvRegisterName.InterruptState:
                // One bit for both kinds of shadow: a new one is taken for the stricter.
                if (!value.InterruptState.InterruptShadow)
                    state.Events.Shadow = InterruptibilityShadow.None;
                else if (state.Events.Shadow == InterruptibilityShadow.None)
                    state.Events.Shadow = InterruptibilityShadow.MovSs;
                state.Events.NmiBlocked = value.InterruptState.NmiMasked;
                return WhvHResult.Ok;
            case WhvRegisterName.PendingInterruption:
                _interruption = value.PendingInterruption;
                return WhvHResult.Ok;
            case WhvRegisterName.PendingEvent:
                if (value.ExceptionEvent.EventPending && value.ExceptionEvent.EventType == (byte)WhvX64PendingEventType.ExtInt && !_partition.HasLocalApic)
                    return WhvHResult.HvInvalidParameter;
                _pendingEvent = value.ExceptionEvent;
                return WhvHResult.Ok;
            case WhvRegisterName.PendingDebugException when !Platform.IsOld:
                state.Events.PendingDebugTrap = (uint)(value.PendingDebugException.AsUInt64 & 0xF)
                    | (value.PendingDebugException.SingleStep ? SingleStepTrap : 0);
                return WhvHResult.Ok;
            case WhvRegisterName.DeliverabilityNotifications:
                if (_partition.HasLocalApic && value.DeliverabilityNotifications.InterruptPriority != 0)
                    return WhvHResult.HvInvalidParameter;
                _notifications = value.DeliverabilityNotifications;
                return WhvHResult.Ok;
            case WhvRegisterName.InternalActivityState when _partition.HasLocalApic:
                state.Events.Activity = value.InternalActivity.StartupSuspend ? ProcessorActivity.WaitForSipi
                    : value.InternalActivity.HaltSuspend ? ProcessorActivity.Halted : ProcessorActivity.Running;
                return WhvHResult.Ok;
            case WhvRegisterName.InternalActivityState:
                return WhvHResult.HvAccessDenied;
            case WhvRegisterName.ApicTpr:
                return WhvHResult.HvInvalidParameter;
            default:
                return SetOther(name, in value);
        }
    }

    private static bool TryRegister(WhvRegisterName name, out Register register)
    {
        register = name switch
        {
            <= WhvRegisterName.R15 => (Register)name,
            WhvRegisterName.Rip => Register.Rip,
            WhvRegisterName.Rflags => Register.Rflags,
            WhvRegisterName.Cr0 => Register.Cr0,
            WhvRegisterName.Cr2 => Register.Cr2,
            WhvRegisterName.Cr3 => Register.Cr3,
            WhvRegisterName.Cr4 => Register.Cr4,
            WhvRegisterName.Cr8 => Register.Cr8,
            >= WhvRegisterName.Dr0 and <= WhvRegisterName.Dr3 => Register.Dr0 + (int)(name - WhvRegisterName.Dr0),
            WhvRegisterName.Dr6 => Register.Dr6,
            WhvRegisterName.Dr7 => Register.Dr7,
            WhvRegisterName.XCr0 => Register.Xcr0,
            WhvRegisterName.Efer => Register.Efer,
            WhvRegisterName.ApicBase => Register.ApicBase,
            _ => (Register)(-1),
        };
        return (int)register >= 0;
    }

    private static WhvX64SegmentRegister Segment(SegmentDescriptor segment)
    {
        ushort attributes = (ushort)segment.Attributes;
        return new WhvX64SegmentRegister
        {
            Selector = segment.Selector, Base = segment.Base, Limit = segment.Limit,
            Attributes = (segment.Attributes & SegmentDescriptor.Unusable) != 0 ? (ushort)(attributes & ~0x80) : attributes,
        };
    }

    private static SegmentDescriptor SegmentOf(in SegmentRegisters segments, WhvRegisterName name) => name switch
    {
        WhvRegisterName.Es => segments.Es,
        WhvRegisterName.Cs => segments.Cs,
        WhvRegisterName.Ss => segments.Ss,
        WhvRegisterName.Ds => segments.Ds,
        WhvRegisterName.Fs => segments.Fs,
        WhvRegisterName.Gs => segments.Gs,
        WhvRegisterName.Ldtr => segments.Ldtr,
        _ => segments.Tr,
    };

    private static void SetSegment(ref SegmentRegisters segments, WhvRegisterName name, in WhvX64SegmentRegister value)
    {
        SegmentDescriptor segment = new(
            value.Selector, value.Base, value.Limit, value.Present ? value.Attributes : value.Attributes | SegmentDescriptor.Unusable);
        switch (name)
        {
            case WhvRegisterName.Es: segments.Es = segment; break;
            case WhvRegisterName.Cs: segments.Cs = segment; break;
            case WhvRegisterName.Ss: segments.Ss = segment; break;
            case WhvRegisterName.Ds: segments.Ds = segment; break;
            case WhvRegisterName.Fs: segments.Fs = segment; break;
            case WhvRegisterName.Gs: segments.Gs = segment; break;
            case WhvRegisterName.Ldtr: segments.Ldtr = segment; break;
            default: segments.Tr = segment; break;
        }
    }
}
