using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_enable_cap.</summary>
[StructLayout(LayoutKind.Explicit, Size = 104)]
internal struct KvmEnableCapability
{
    [FieldOffset(0)]
    public uint Capability;
    [FieldOffset(4)]
    public uint Flags;
    [FieldOffset(8)]
    public ulong First;
}
