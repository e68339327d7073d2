using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Modes and pending events of the processor at an exit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2)]
internal struct WhvX64VpExecutionState
{
    [FieldOffset(0)]
    public ushort AsUInt16;

    public byte Cpl
    {
        readonly get => (byte)(AsUInt16 & 0x3);
        set => AsUInt16 = (ushort)((AsUInt16 & ~0x3) | (ushort)(value & 0x3));
    }

    public bool Cr0Pe
    {
        readonly get => (AsUInt16 & 0x4) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x4) : (ushort)(AsUInt16 & ~0x4);
    }

    public bool Cr0Am
    {
        readonly get => (AsUInt16 & 0x8) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x8) : (ushort)(AsUInt16 & ~0x8);
    }

    public bool EferLma
    {
        readonly get => (AsUInt16 & 0x10) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x10) : (ushort)(AsUInt16 & ~0x10);
    }

    public bool DebugActive
    {
        readonly get => (AsUInt16 & 0x20) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x20) : (ushort)(AsUInt16 & ~0x20);
    }

    public bool InterruptionPending
    {
        readonly get => (AsUInt16 & 0x40) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x40) : (ushort)(AsUInt16 & ~0x40);
    }

    public bool InterruptShadow
    {
        readonly get => (AsUInt16 & 0x1000) != 0;
        set => AsUInt16 = value ? (ushort)(AsUInt16 | 0x1000) : (ushort)(AsUInt16 & ~0x1000);
    }
}
