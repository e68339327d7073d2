using System.Collections.Immutable;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Processors;

/// <summary>The host's debugger by the kernel's: while it asks for something the kernel holds the debug registers, and keeps the guest's own aside.</summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const ulong StepBit = 1 << 14, Dr7Fixed = 0x400;

    private DebugControl _debugging = DebugControl.None;
    private ImmutableArray<DebugPoint> _points = [];

    protected override void SetDebuggingCore(DebugControl control)
    {
        _debugging = control;
        _points = control.Points;
        TellDebugging();
    }

    private void TellDebugging()
    {
        KvmGuestDebug request = new();
        if (_debugging.SingleStep)
            request.Control |= KvmGuestDebug.SingleStep | (_partition.Platform.BlocksInterruptsOfSteps ? KvmGuestDebug.BlockInterrupts : 0);
        if (!_points.IsEmpty)
        {
            request.Control |= KvmGuestDebug.UseHardwarePoints;
            request.Registers[7] = Dr7Fixed;
            for (int i = 0; i < _points.Length; i++)
            {
                request.Registers[i] = _points[i].Address;
                request.Registers[7] |= (1UL << (2 * i)) | (Condition(_points[i]) << (16 + (4 * i)));
            }
        }
        if (request.Control != 0)
            request.Control |= KvmGuestDebug.Enable;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetGuestDebug, &request), "KVM_SET_GUEST_DEBUG", $"processor {Index}");
    }

    // A step runs its instruction though a breakpoint stands on it, so that one is away meanwhile.
    private void PrepareStep()
    {
        if (_debugging.Points.IsEmpty)
            return;
        ulong here = InstructionAddress;
        ImmutableArray<DebugPoint> wanted = _debugging.Points.RemoveAll(point => point.Kind == DebugPointKind.Execute && point.Address == here);
        if (wanted.SequenceEqual(_points))
            return;
        _points = wanted;
        TellDebugging();
    }

    private bool TranslateDebug(out VpExit exit)
    {
        ulong bits = _run->DebugDr6;
        DebugExit debug = new() { Dr6 = bits & (StepBit | 0xF) };
        for (int i = 0; i < _points.Length; i++)
        {
            if ((bits >> i & 1) == 0)
                continue;
            DebugPoint point = _points[i];
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

    // SDM Vol. 3B 17.2.4: the kind of access in two bits, then the length in two.
    private static ulong Condition(DebugPoint point)
    {
        if (point.Kind == DebugPointKind.Execute)
            return 0;
        ulong length = point.Length switch { 1 => 0, 2 => 1, 8 => 2, _ => 3UL };
        return (point.Kind == DebugPointKind.Write ? 1UL : 3UL) | (length << 2);
    }
}
