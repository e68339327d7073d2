using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>An interrupt request to the local APICs.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvInterruptControl
{
    [FieldOffset(0)]
    private ulong _bits0;

    [FieldOffset(8)]
    public uint Destination;

    [FieldOffset(12)]
    public uint Vector;

    public byte Type
    {
        readonly get => (byte)_bits0;
        set => _bits0 = (_bits0 & ~0xFFUL) | ((ulong)value & 0xFF);
    }

    public byte DestinationMode
    {
        readonly get => (byte)((_bits0 >> 8) & 0xFUL);
        set => _bits0 = (_bits0 & ~0xF00UL) | (((ulong)value & 0xF) << 8);
    }

    public byte TriggerMode
    {
        readonly get => (byte)((_bits0 >> 12) & 0xFUL);
        set => _bits0 = (_bits0 & ~0xF000UL) | (((ulong)value & 0xF) << 12);
    }

    public byte TargetVtl
    {
        readonly get => (byte)(_bits0 >> 16);
        set => _bits0 = (_bits0 & ~0xFF0000UL) | (((ulong)value & 0xFF) << 16);
    }
}
