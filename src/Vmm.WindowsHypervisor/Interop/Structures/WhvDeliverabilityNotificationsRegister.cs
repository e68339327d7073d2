using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Which interrupt window exits, once.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct WhvDeliverabilityNotificationsRegister
{
    [FieldOffset(0)]
    public ulong AsUInt64;

    public bool NmiNotification
    {
        readonly get => (AsUInt64 & 0x1UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x1UL : AsUInt64 & ~0x1UL;
    }

    public bool InterruptNotification
    {
        readonly get => (AsUInt64 & 0x2UL) != 0;
        set => AsUInt64 = value ? AsUInt64 | 0x2UL : AsUInt64 & ~0x2UL;
    }

    public byte InterruptPriority
    {
        readonly get => (byte)((AsUInt64 >> 2) & 0xFUL);
        set => AsUInt64 = (AsUInt64 & ~0x3CUL) | (((ulong)value & 0xF) << 2);
    }

    public ushort Sint
    {
        readonly get => (ushort)(AsUInt64 >> 48);
        set => AsUInt64 = (AsUInt64 & ~0xFFFF000000000000UL) | (((ulong)value & 0xFFFF) << 48);
    }
}
