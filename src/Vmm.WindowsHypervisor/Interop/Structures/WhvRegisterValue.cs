using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>The value of one register. Arrays of it must be aligned to 16 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvRegisterValue
{
    [FieldOffset(0)]
    public WhvUint128 Reg128;

    [FieldOffset(0)]
    public ulong Reg64;

    [FieldOffset(0)]
    public uint Reg32;

    [FieldOffset(0)]
    public ushort Reg16;

    [FieldOffset(0)]
    public byte Reg8;

    [FieldOffset(0)]
    public WhvInternalActivityRegister InternalActivity;

    [FieldOffset(0)]
    public WhvDeliverabilityNotificationsRegister DeliverabilityNotifications;

    [FieldOffset(0)]
    public WhvX64FpControlStatusRegister FpControlStatus;

    [FieldOffset(0)]
    public WhvX64XmmControlStatusRegister XmmControlStatus;

    [FieldOffset(0)]
    public WhvX64SegmentRegister Segment;

    [FieldOffset(0)]
    public WhvX64TableRegister Table;

    [FieldOffset(0)]
    public WhvX64InterruptStateRegister InterruptState;

    [FieldOffset(0)]
    public WhvX64PendingInterruptionRegister PendingInterruption;

    [FieldOffset(0)]
    public WhvX64PendingExceptionEvent ExceptionEvent;

    [FieldOffset(0)]
    public WhvX64PendingExtIntEvent ExtIntEvent;

    [FieldOffset(0)]
    public WhvX64PendingDebugException PendingDebugException;
}
