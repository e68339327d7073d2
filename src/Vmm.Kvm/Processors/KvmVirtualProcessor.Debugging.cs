using System.Collections.Immutable;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>
/// The host's debugger. Points are the kernel's: while there are any it holds the debug registers, and keeps the guest's own aside. A step
/// is the assist's, one
/// instruction long: the kernel's own would show in the guest's flags.
/// </summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const ulong StepBit = 1 << 14, Dr7Fixed = 0x400;
    private const uint ApicBaseMsr = 0x1B, DeadlineMsr = 0x6E0, FirstX2Apic = 0x800, LastX2Apic = 0x8FF;

    private DebugControl _debugging = DebugControl.None;
    private bool _kernelSteps;
    private bool _hasStepped; // a step that CompletePending ended, not told yet

    private ImmutableArray<DebugPoint> Points => _debugging.Points;

    protected override void SetDebuggingCore(DebugControl control)
    {
        _debugging = control;
        _kernelSteps = _hasStepped = false;
        HostWatchpoint[] watched =
        [
            .. control.Points.Where(point => point.Kind != DebugPointKind.Execute)
                .Select(point => new HostWatchpoint(point.Address, point.Length, point.Kind == DebugPointKind.Write)),
        ];
        _assist.Assist.SetHostPoints([], watched);
        if (_partition.Platform.HasGuestDebug)
            TellDebugging();
    }

    /// <summary>Runs one instruction, or what finishes one that has begun, or the delivery of an event.</summary>
    private void RunStep(out VpExit exit)
    {
        if (_isShutDown)
        {
            exit = new VpExit(ExitKind.Shutdown, General.Rip);
            return;
        }
        if (_hasStepped)
        {
            exit = EndOfStep();
            return;
        }
        if (_assist.IsPending || _completing)
        {
            if (_assist.IsPending ? FinishAssisted(out exit) : FinishInstruction(out exit))
                exit = EndOfStep();
            return;
        }
        // Events wait for the end of a step, but not those that wake a processor, nor one whose delivery has begun.
        if (_halted && EventsWaiting)
            DeliverEvents();
        if (_halted && !IsNmiDue)
        {
            exit = new VpExit(ExitKind.Halt, General.Rip);
            return;
        }
        _halted = false;
        if (_partition.HasLocalApic && (ReadMpState() != MpRunnable || TouchesApicRegister()))
        {
            StepInKernel(out exit);
            return;
        }
        bool done = TakeDelivery(out InjectedEvent delivering) ? _assist.StartDelivery(in delivering, out exit) : _assist.Start(out exit);
        if (done)
        {
            exit = EndOfStep();
        }
        else if (exit.Kind == ExitKind.Mmio && IsApicPage(exit.Mmio.Address))
        {
            // The registers are the kernel's. Nothing has been given back yet, so the instruction may as well run there.
            _assist.Abandon();
            StepInKernel(out exit);
        }
    }

    private VpExit EndOfStep()
    {
        _hasStepped = false;
        if (_isShutDown)
            return new VpExit(ExitKind.Shutdown, General.Rip);
        return _assist.Assist.TryTakeHostHit(out ulong address, out bool write)
            ? new VpExit(new DebugExit { Address = address, Access = write ? GuestAccess.Write : GuestAccess.Read }, General.Rip)
            : new VpExit(new DebugExit { Dr6 = StepBit }, General.Rip);
    }

    // The event that the kernel would deliver next, taken out of it.
    private bool TakeDelivery(out InjectedEvent delivering)
    {
        ref KvmVcpuEvents events = ref Events;
        if (!TryReadDelivery(in events, out delivering))
        {
            if (!IsNmiDue)
                return false;
            delivering = InjectedEvent.Nmi;
        }
        events.ExceptionInjected = events.ExceptionPending = events.ExceptionHasPayload = events.InterruptInjected = events.NmiInjected = 0;
        if (delivering.Kind == InjectedEventKind.NonMaskableInterrupt)
            events.NmiPending = 0;
        SetEvents();
        return true;
    }

    private bool IsApicPage(ulong address) =>
        _partition.HasLocalApic && (Special.ApicBase & 0x800) != 0 && (address & ~0xFFFUL) == (Special.ApicBase & 0xF_FFFF_FFFF_F000);

    // RDMSR and WRMSR of the registers that the kernel's local APIC has.
    private bool TouchesApicRegister()
    {
        Span<byte> code = stackalloc byte[2];
        return ReadCode(InstructionAddress, code) == 2 && code[0] == 0x0F && code[1] is 0x30 or 0x32
            && (uint)General.Rcx is ApicBaseMsr or DeadlineMsr or (>= FirstX2Apic and <= LastX2Apic);
    }

    private void StepInKernel(out VpExit exit)
    {
        _kernelSteps = true;
        TellDebugging();
        while (!Enter(out exit))
        {
            // Back without an exit: it goes on where it was.
        }
        _kernelSteps = false;
        TellDebugging();
    }

    private void TellDebugging()
    {
        // The kernel notes where it steps from, and steps only if the processor is there when it runs.
        FlushGeneral();
        KvmGuestDebug request = new();
        if (_kernelSteps)
            request.Control |= KvmGuestDebug.SingleStep;
        if (!Points.IsEmpty)
        {
            request.Control |= KvmGuestDebug.UseHardwarePoints;
            request.Registers[7] = Dr7Fixed;
            for (int i = 0; i < Points.Length; i++)
            {
                request.Registers[i] = Points[i].Address;
                request.Registers[7] |= (1UL << (2 * i)) | (Condition(Points[i]) << (16 + (4 * i)));
            }
        }
        if (request.Control != 0)
            request.Control |= KvmGuestDebug.Enable;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetGuestDebug, &request), "KVM_SET_GUEST_DEBUG", $"processor {Index}");
    }

    private bool TranslateDebug(out VpExit exit)
    {
        ulong bits = _run->DebugDr6 & (StepBit | 0xF);
        ulong wanted = ((1UL << Points.Length) - 1) | (_kernelSteps ? StepBit : 0);
        if ((bits & wanted) == 0)
        {
            GiveBackTrap((uint)bits);
            exit = default;
            return false;
        }
        DebugExit debug = new() { Dr6 = bits };
        for (int i = 0; i < Points.Length; i++)
        {
            if ((bits >> i & 1) == 0)
                continue;
            DebugPoint point = Points[i];
            debug = debug with
            {
                Address = point.Address,
                Access = point.Kind switch
                {
                    DebugPointKind.Execute => GuestAccess.Execute,
                    DebugPointKind.Write => GuestAccess.Write,
                    _ => GuestAccess.ReadWrite,
                },
            };
            break;
        }
        exit = new VpExit(in debug, General.Rip);
        return true;
    }

    // While the host's debugger has points the kernel hands every debug exception to it (KVM's API documentation, KVM_SET_GUEST_DEBUG). Of
    // the guest's own, its trap flag's say, the guest has seen nothing yet.
    private void GiveBackTrap(uint trap)
    {
        FlushGeneral();
        if (!CanBegin)
        {
            _debugTrap |= trap;
            return;
        }
        FillTrap(ref Events, trap);
        SetEvents();
    }

    // SDM Vol. 3B 17.2.4: the kind of access in two bits, then the length in two.
    private static ulong Condition(DebugPoint point)
    {
        if (point.Kind == DebugPointKind.Execute)
            return 0;
        ulong length = point.Length switch { 1 => 0, 2 => 1, 8 => 2, _ => 3UL };
        return (point.Kind == DebugPointKind.Write ? 1UL : 3UL) | (length << 2);
    }
}
