using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: access to guest-physical memory that is not mapped or not allowed.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct WhvMemoryAccessContext
{
    [FieldOffset(0)]
    public byte InstructionByteCount;

    [FieldOffset(4)]
    public fixed byte InstructionBytes[16];

    [FieldOffset(20)]
    public WhvMemoryAccessInfo AccessInfo;

    [FieldOffset(24)]
    public ulong Gpa;

    [FieldOffset(32)]
    public ulong Gva;
}
