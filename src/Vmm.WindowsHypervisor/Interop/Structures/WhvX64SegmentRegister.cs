using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>A segment register.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64SegmentRegister
{
    [FieldOffset(0)]
    public ulong Base;

    [FieldOffset(8)]
    public uint Limit;

    [FieldOffset(12)]
    public ushort Selector;

    [FieldOffset(14)]
    public ushort Attributes;

    public byte SegmentType
    {
        readonly get => (byte)(Attributes & 0xF);
        set => Attributes = (ushort)((Attributes & ~0xF) | (ushort)(value & 0xF));
    }

    public bool NonSystemSegment
    {
        readonly get => (Attributes & 0x10) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x10) : (ushort)(Attributes & ~0x10);
    }

    public byte DescriptorPrivilegeLevel
    {
        readonly get => (byte)((Attributes >> 5) & 0x3);
        set => Attributes = (ushort)((Attributes & ~0x60) | ((ushort)(value & 0x3) << 5));
    }

    public bool Present
    {
        readonly get => (Attributes & 0x80) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x80) : (ushort)(Attributes & ~0x80);
    }

    public bool Available
    {
        readonly get => (Attributes & 0x1000) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x1000) : (ushort)(Attributes & ~0x1000);
    }

    public bool Long
    {
        readonly get => (Attributes & 0x2000) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x2000) : (ushort)(Attributes & ~0x2000);
    }

    public bool Default
    {
        readonly get => (Attributes & 0x4000) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x4000) : (ushort)(Attributes & ~0x4000);
    }

    public bool Granularity
    {
        readonly get => (Attributes & 0x8000) != 0;
        set => Attributes = value ? (ushort)(Attributes | 0x8000) : (ushort)(Attributes & ~0x8000);
    }
}
