using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_msi.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct KvmMsi
{
    [FieldOffset(0)]
    public uint AddressLow;
    [FieldOffset(4)]
    public uint AddressHigh;
    [FieldOffset(8)]
    public uint Data;
    [FieldOffset(12)]
    public uint Flags;
}
