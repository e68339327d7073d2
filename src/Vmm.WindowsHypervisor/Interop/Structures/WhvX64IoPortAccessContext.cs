using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Exit: port access.</summary>
[StructLayout(LayoutKind.Explicit, Size = 96)]
internal unsafe struct WhvX64IoPortAccessContext
{
    [FieldOffset(0)]
    public byte InstructionByteCount;

    [FieldOffset(4)]
    public fixed byte InstructionBytes[16];

    [FieldOffset(20)]
    public WhvX64IoPortAccessInfo AccessInfo;

    [FieldOffset(24)]
    public ushort PortNumber;

    [FieldOffset(32)]
    public ulong Rax;

    [FieldOffset(40)]
    public ulong Rcx;

    [FieldOffset(48)]
    public ulong Rsi;

    [FieldOffset(56)]
    public ulong Rdi;

    [FieldOffset(64)]
    public WhvX64SegmentRegister Ds;

    [FieldOffset(80)]
    public WhvX64SegmentRegister Es;
}
