using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>An exception with its parameter, delivered at the next entry.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64PendingExceptionEvent
{
    [FieldOffset(0)]
    private uint _bits0;

    [FieldOffset(4)]
    public uint ErrorCode;

    [FieldOffset(8)]
    public ulong ExceptionParameter;

    [FieldOffset(0)]
    public WhvUint128 AsUInt128;

    public bool EventPending
    {
        readonly get => (_bits0 & 0x1U) != 0;
        set => _bits0 = value ? _bits0 | 0x1U : _bits0 & ~0x1U;
    }

    public byte EventType
    {
        readonly get => (byte)((_bits0 >> 1) & 0x7U);
        set => _bits0 = (_bits0 & ~0xEU) | ((uint)(value & 0x7U) << 1);
    }

    public bool DeliverErrorCode
    {
        readonly get => (_bits0 & 0x100U) != 0;
        set => _bits0 = value ? _bits0 | 0x100U : _bits0 & ~0x100U;
    }

    public ushort Vector
    {
        readonly get => (ushort)(_bits0 >> 16);
        set => _bits0 = (_bits0 & ~0xFFFF0000U) | ((uint)(value & 0xFFFFU) << 16);
    }
}
