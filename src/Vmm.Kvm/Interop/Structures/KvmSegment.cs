using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>struct kvm_segment: the descriptor's fields each in a byte of its own.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmSegment
{
    public ulong Base;
    public uint Limit;
    public ushort Selector;
    public byte Type, Present, Dpl, Db, S, L, G, Avl, Unusable, Padding;
}
