using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Kind of a port access.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvX64IoPortAccessInfo
{
    [FieldOffset(0)]
    public uint AsUInt32;

    public bool IsWrite
    {
        readonly get => (AsUInt32 & 0x1U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x1U : AsUInt32 & ~0x1U;
    }

    public byte AccessSize
    {
        readonly get => (byte)((AsUInt32 >> 1) & 0x7U);
        set => AsUInt32 = (AsUInt32 & ~0xEU) | ((uint)(value & 0x7U) << 1);
    }

    public bool StringOp
    {
        readonly get => (AsUInt32 & 0x10U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x10U : AsUInt32 & ~0x10U;
    }

    public bool RepPrefix
    {
        readonly get => (AsUInt32 & 0x20U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x20U : AsUInt32 & ~0x20U;
    }
}
