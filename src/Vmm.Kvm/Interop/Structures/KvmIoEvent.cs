using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_ioeventfd.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmIoEvent
{
    /// <summary>Bits of <see cref="Flags"/>.</summary>
    public const uint MatchData = 1, Port = 2, Deassign = 4;

    [FieldOffset(0)]
    public ulong Match;
    [FieldOffset(8)]
    public ulong Address;
    [FieldOffset(16)]
    public uint Length;
    [FieldOffset(20)]
    public int File;
    [FieldOffset(24)]
    public uint Flags;
}
