using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Control and status of the x87 unit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64FpControlStatusRegister
{
    [FieldOffset(0)]
    public ushort FpControl;

    [FieldOffset(2)]
    public ushort FpStatus;

    [FieldOffset(4)]
    public byte FpTag;

    [FieldOffset(6)]
    public ushort LastFpOp;

    [FieldOffset(8)]
    public ulong LastFpRip;

    [FieldOffset(8)]
    public uint LastFpEip;

    [FieldOffset(12)]
    public ushort LastFpCs;

    [FieldOffset(0)]
    public WhvUint128 AsUInt128;
}
