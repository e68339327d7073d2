using System.Collections.Immutable;
using System.Numerics;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Events;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

/// <summary>
/// The host's debugger: steps are instructions of the assist; points are in debug registers that the guest does not use, and their #DB
/// exits. The guest's own values are kept aside meanwhile, and what it does to them traps.
/// </summary>
internal sealed unsafe partial class WhvVirtualProcessor
{
    private const int Status = 4, Control = 5; // DR6 and DR7 among the debug registers

    private ImmutableArray<DebugPoint> _points = [];
    private DebugRegisters _guestDebug; // the guest's own while there are points; DR6 stays in the processor
    private readonly byte[] _registers = new byte[DebugPointRegisters.Count]; // which address register holds a point
    private uint _taken; // the address registers that hold points, a bit each
    private bool _steps;
    private bool _hasStepped;

    private bool HasPoints => !_points.IsEmpty;

    protected override void SetDebuggingCore(DebugControl control)
    {
        _assist.Assist.SetHostPoints([], [.. control.Points.Where(point => point.Kind != DebugPointKind.Execute)
            .Select(point => new HostWatchpoint(point.Address, point.Length, point.Kind == DebugPointKind.Write))]);
        _steps = control.SingleStep;
        _hasStepped = false;
        if (!control.Points.IsEmpty || (_steps && _partition.HasLocalApic))
            _partition.InterceptDebugExceptions();
        if (control.Points.IsEmpty && !HasPoints)
            return;
        DebugRegisters guest = ReadDebug();
        _points = control.Points;
        WriteDebug(in guest);
    }

    /// <summary>What ended behind an instruction: a watchpoint that the assist met, or a step.</summary>
    private bool TakeDebugStop(out VpExit exit)
    {
        exit = default;
        bool stepped = _hasStepped;
        _hasStepped = false;
        if (_assist.Assist.TryTakeHostHit(out ulong address, out bool write))
            exit = new VpExit(new DebugExit { Address = address, Access = write ? GuestAccess.Write : GuestAccess.Read }, ReadOne(WhvRegisterName.Rip).Reg64);
        else if (stepped)
            exit = new VpExit(new DebugExit { Dr6 = DebugBits.StatusSingleStep }, ReadOne(WhvRegisterName.Rip).Reg64);
        else
            return false;
        return true;
    }

    /// <summary>One instruction, or the delivery of one event that was on its way. False: an exit of it.</summary>
    private bool Step(out VpExit exit)
    {
        WhvRegisterValue* pending = Read([WhvRegisterName.PendingInterruption, WhvRegisterName.PendingEvent]);
        bool delivers = TryReadDelivery(pending[0].PendingInterruption, pending[1].ExceptionEvent, out InjectedEvent injected);
        if (delivers)
        {
            Write(WhvRegisterName.PendingInterruption, default);
            Write(WhvRegisterName.PendingEvent, default);
        }
        else
        {
            // Interrupts wait for the end of the step; exceptions do not.
            delivers = EventsWaiting && TryTakeEvent(Interruptible.None, out injected);
        }
        _hasStepped = delivers ? _assist.StartDelivery(in injected, out exit) : _assist.Start(out exit);
        if (_hasStepped || delivers || !IsLocalApics(in exit))
            return _hasStepped;
        _assist.Assist.WithdrawRequest();
        _assist.Abandon();
        bool done = StepOnThePlatform(out exit);
        _hasStepped |= done;
        return done;
    }

    // Halted inside the platform, or waiting to be started.
    private bool IsAtRest
    {
        get
        {
            if (_halted || !_partition.HasLocalApic)
                return _halted;
            WhvInternalActivityRegister activity = ReadOne(WhvRegisterName.InternalActivityState).InternalActivity;
            return activity.HaltSuspend || activity.StartupSuspend;
        }
    }

    /// <summary>A #DB that the client has not asked to see. True: an exit for it all the same.</summary>
    private bool TakeDebugException(WhvRunVpExitContext* context, out VpExit exit)
    {
        ulong bits = context->VpException.ExceptionParameter;
        ulong rip = context->VpContext.Rip;
        exit = default;
        if (HasPoints)
        {
            if ((bits & DebugBits.StatusDebugRegister) != 0)
            {
                ClearStatus(DebugBits.StatusDebugRegister);
                return !_assist.Start(out exit); // the guest reads or writes its own registers
            }
            ulong guests = bits & ~(ulong)_taken & (DebugBits.StatusBreakpoints | DebugBits.StatusSingleStep | DebugBits.StatusTask);
            if ((bits & _taken) != 0)
            {
                ClearStatus(_taken);
                DebugExit hit = DebugPointRegisters.Hit(PointIn(BitOperations.TrailingZeroCount(bits & _taken)), bits & _taken);
                exit = new VpExit(in hit, rip);
                if (guests == 0)
                    return true;
                // A breakpoint before an instruction comes again when the guest's own exception has been handled.
                Deliver(DebugTrap(guests));
                return hit.Access != GuestAccess.Execute;
            }
            bits = guests;
        }
        Deliver(DebugTrap(bits));
        return false;
    }

    private static InjectedEvent DebugTrap(ulong bits) =>
        new() { Kind = InjectedEventKind.Exception, Vector = ExceptionVector.Debug, Payload = bits };

    // Some processors have set the bits before the exit, some have not.
    private void ClearStatus(ulong bits)
    {
        WhvRegisterValue status = ReadOne(WhvRegisterName.Dr6);
        if ((status.Reg64 & bits) == 0)
            return;
        status.Reg64 &= ~bits;
        Write(WhvRegisterName.Dr6, status);
    }

    /// <summary>The guest's debug registers.</summary>
    private DebugRegisters ReadDebug()
    {
        WhvRegisterValue* v = Read(WhvRegisterNames.Debug);
        return HasPoints
            ? _guestDebug with { Dr6 = v[Status].Reg64 }
            : new DebugRegisters { Dr0 = v[0].Reg64, Dr1 = v[1].Reg64, Dr2 = v[2].Reg64, Dr3 = v[3].Reg64, Dr6 = v[Status].Reg64, Dr7 = v[Control].Reg64 };
    }

    private void WriteDebug(in DebugRegisters debug)
    {
        ulong status = (debug.Dr6 & 0xFFFF) | DebugBits.StatusFixed;
        ulong control = (debug.Dr7 & 0xFFFF_2FFF) | DebugBits.ControlFixed;
        _guestDebug = debug with { Dr7 = control };
        _taken = 0;
        Put(0, debug.Dr0);
        Put(1, debug.Dr1);
        Put(2, debug.Dr2);
        Put(3, debug.Dr3);
        Put(Status, status);
        for (int i = 0; i < _points.Length; i++)
        {
            DebugPoint point = _points[i];
            int register = Free();
            _registers[i] = (byte)register;
            _taken |= 1U << register;
            Put(register, point.Address);
            control = (control & ~DebugPointRegisters.Mask(register)) | DebugPointRegisters.Control(point, register);
        }
        Put(Control, HasPoints ? control | DebugBits.ControlGeneralDetect : control);
        WriteValues(WhvRegisterNames.Debug);
    }

    // One that the guest has not enabled; where it has all that are left, the debugger goes first.
    private int Free()
    {
        ulong enabled = _guestDebug.Dr7;
        uint unused = 0;
        for (int i = 0; i < DebugPointRegisters.Count; i++)
        {
            if ((enabled >> (2 * i) & 3) == 0)
                unused |= 1U << i;
        }
        return BitOperations.TrailingZeroCount((unused & ~_taken) != 0 ? unused & ~_taken : ~_taken);
    }

    private DebugPoint PointIn(int register) => _points[Array.IndexOf(_registers, (byte)register, 0, _points.Length)];
}
