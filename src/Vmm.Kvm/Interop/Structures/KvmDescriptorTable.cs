using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_dtable.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct KvmDescriptorTable
{
    [FieldOffset(0)]
    public ulong Base;
    [FieldOffset(8)]
    public ushort Limit;
}
