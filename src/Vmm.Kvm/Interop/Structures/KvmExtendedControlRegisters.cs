using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_xcrs; only the first entry, XCR0, is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 392)]
internal struct KvmExtendedControlRegisters
{
    [FieldOffset(0)]
    public uint Count;
    [FieldOffset(4)]
    public uint Flags;
    [FieldOffset(8)]
    public uint FirstNumber;
    [FieldOffset(16)]
    public ulong FirstValue;
}
