using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>MXCSR, and the last data pointer of the x87 unit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64XmmControlStatusRegister
{
    [FieldOffset(0)]
    public ulong LastFpRdp;

    [FieldOffset(0)]
    public uint LastFpDp;

    [FieldOffset(4)]
    public ushort LastFpDs;

    [FieldOffset(8)]
    public uint XmmStatusControl;

    [FieldOffset(12)]
    public uint XmmStatusControlMask;

    [FieldOffset(0)]
    public WhvUint128 AsUInt128;
}
