using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_debugregs.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct KvmDebugRegisters
{
    [FieldOffset(0)]
    public ulong Dr0;
    [FieldOffset(8)]
    public ulong Dr1;
    [FieldOffset(16)]
    public ulong Dr2;
    [FieldOffset(24)]
    public ulong Dr3;
    [FieldOffset(32)]
    public ulong Dr6;
    [FieldOffset(40)]
    public ulong Dr7;
    [FieldOffset(48)]
    public ulong Flags;
}
