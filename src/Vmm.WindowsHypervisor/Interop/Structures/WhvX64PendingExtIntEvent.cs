using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>An external interrupt, delivered through the local APIC.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64PendingExtIntEvent
{
    [FieldOffset(0)]
    private ulong _bits0;

    [FieldOffset(0)]
    public WhvUint128 AsUInt128;

    public bool EventPending
    {
        readonly get => (_bits0 & 0x1UL) != 0;
        set => _bits0 = value ? _bits0 | 0x1UL : _bits0 & ~0x1UL;
    }

    public byte EventType
    {
        readonly get => (byte)((_bits0 >> 1) & 0x7UL);
        set => _bits0 = (_bits0 & ~0xEUL) | (((ulong)value & 0x7) << 1);
    }

    public byte Vector
    {
        readonly get => (byte)(_bits0 >> 8);
        set => _bits0 = (_bits0 & ~0xFF00UL) | (((ulong)value & 0xFF) << 8);
    }
}
