using Vmm.X86.Execution;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatorVirtualProcessor
{
    private const ulong StepStatus = 0x4000; // DR6.BS

    private bool _steps;
    private bool _hasStepped;

    protected override void SetDebuggingCore(DebugControl control)
    {
        _steps = control.SingleStep;
        _hasStepped = false;
        ulong[] breakpoints = [.. control.Points.Where(point => point.Kind == DebugPointKind.Execute).Select(point => point.Address).Distinct().Order()];
        HostWatchpoint[] watchpoints =
        [
            .. control.Points.Where(point => point.Kind != DebugPointKind.Execute)
                .Select(point => new HostWatchpoint(point.Address, point.Length, point.Kind == DebugPointKind.Write)),
        ];
        Core.SetHostPoints(breakpoints, watchpoints);
    }

    /// <summary>An instruction, or what finished one, is a whole step.</summary>
    private void NoteStep(RunResult result)
    {
        if (_steps && result != RunResult.Exit)
            _hasStepped = true;
    }

    /// <summary>A step or a watchpoint to report, now that RIP is where the guest goes on.</summary>
    private bool TakeDebugStop(out VpExit exit)
    {
        if (Core.TryTakeHostHit(out ulong address, out bool write))
            exit = new VpExit(new DebugExit { Address = address, Access = write ? GuestAccess.Write : GuestAccess.Read }, State->Rip);
        else
            exit = new VpExit(new DebugExit { Dr6 = StepStatus }, State->Rip);
        _hasStepped = false;
        return true;
    }

    private VpExit AtBreakpoint()
    {
        ulong rip = State->Rip;
        ulong linear = Core.Is64Bit ? rip : (uint)(State->Segments[SegmentIndex.Cs].Base + rip);
        return new VpExit(new DebugExit { Address = linear, Access = GuestAccess.Execute }, rip);
    }
}
