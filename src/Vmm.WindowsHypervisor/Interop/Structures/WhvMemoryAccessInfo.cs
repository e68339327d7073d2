using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Kind of a memory access.</summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
internal struct WhvMemoryAccessInfo
{
    [FieldOffset(0)]
    public uint AsUInt32;

    public byte AccessType
    {
        readonly get => (byte)(AsUInt32 & 0x3U);
        set => AsUInt32 = (AsUInt32 & ~0x3U) | ((uint)value & 0x3);
    }

    public bool GpaUnmapped
    {
        readonly get => (AsUInt32 & 0x4U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x4U : AsUInt32 & ~0x4U;
    }

    public bool GvaValid
    {
        readonly get => (AsUInt32 & 0x8U) != 0;
        set => AsUInt32 = value ? AsUInt32 | 0x8U : AsUInt32 & ~0x8U;
    }
}
