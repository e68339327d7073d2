using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>The event that the next entry delivers.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvX64PendingInterruptionRegister
{
    [FieldOffset(4)]
    public uint ErrorCode;

    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool InterruptionPending
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public byte InterruptionType
    {
        readonly get => (byte)((AsUInt64 >> 1) & 0x7UL);
        set => AsUInt64 = (AsUInt64 & ~0xEUL) | (((ulong)value & 0x7) << 1);
    }

    public bool DeliverErrorCode
    {
        readonly get => (AsUInt64 & 0x10UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x10UL : AsUInt64 & ~0x10UL;
    }

    public byte InstructionLength
    {
        readonly get => (byte)((AsUInt64 >> 5) & 0xFUL);
        set => AsUInt64 = (AsUInt64 & ~0x1E0UL) | (((ulong)value & 0xF) << 5);
    }

    public bool NestedGuestEvent
    {
        readonly get => (AsUInt64 & 0x200UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x200UL : AsUInt64 & ~0x200UL;
    }

    public bool NestedException
    {
        readonly get => (AsUInt64 & 0x400UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x400UL : AsUInt64 & ~0x400UL;
    }

    public ushort InterruptionVector
    {
        readonly get => (ushort)(AsUInt64 >> 16);
        set => AsUInt64 = (AsUInt64 & ~0xFFFF0000UL) | (((ulong)value & 0xFFFF) << 16);
    }
}
