using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Which stores ring a doorbell.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct WhvDoorbellMatchData
{
    [FieldOffset(20)]
    private uint _bits20;

    [FieldOffset(0)]
    public ulong GuestAddress;

    [FieldOffset(8)]
    public ulong Value;

    [FieldOffset(16)]
    public uint Length;

    public bool MatchOnValue
    {
        readonly get => (_bits20 & 0x1U) != 0;
        set => _bits20 = value ? _bits20 | 0x1U : _bits20 & ~0x1U;
    }

    public bool MatchOnLength
    {
        readonly get => (_bits20 & 0x2U) != 0;
        set => _bits20 = value ? _bits20 | 0x2U : _bits20 & ~0x2U;
    }
}
