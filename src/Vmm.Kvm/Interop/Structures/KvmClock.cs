using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_clock_data.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct KvmClock
{
    [FieldOffset(0)]
    public ulong Nanoseconds;
    [FieldOffset(8)]
    public uint Flags;
}
