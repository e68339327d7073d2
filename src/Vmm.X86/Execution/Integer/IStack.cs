using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>
/// The stack and instruction pointer of 64-bit code, or of flat 32-bit code with a 32-bit stack pointer, at the default operand size.
/// </summary>
internal unsafe interface IStack
{
    /// <summary>Bytes of one slot.</summary>
    static abstract int Size { get; }

    /// <summary>Wraps an instruction pointer.</summary>
    static abstract ulong Wrap(ulong rip);

    /// <summary>The instruction pointer is not canonical.</summary>
    static abstract bool Refuses(ulong rip);

    /// <summary>Pushes when the soft TLB has the page.</summary>
    static abstract bool TryPush(VcpuState* s, ulong value);

    /// <summary>Linear address of the slot at the top.</summary>
    static abstract ulong Top(VcpuState* s);

    /// <summary>Drops the top slot and as many bytes more.</summary>
    static abstract void Release(VcpuState* s, ulong more);
}

/// <summary>RSP and RIP.</summary>
internal readonly unsafe struct LongStack : IStack
{
    public static int Size => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Wrap(ulong rip) => rip;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Refuses(ulong rip) => (ulong)((long)(rip << 16) >> 16) != rip;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPush(VcpuState* s, ulong value)
    {
        ulong linear = s->General[4] - 8;
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, 8))
            return false;
        Ordered.Store(MemoryAccess.Host(entry, linear), value);
        s->General[4] = linear;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Top(VcpuState* s) => s->General[4];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(VcpuState* s, ulong more) => s->General[4] += 8 + more;
}

/// <summary>ESP and EIP.</summary>
internal readonly unsafe struct ShortStack : IStack
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Wrap(ulong rip) => (uint)rip;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Refuses(ulong rip) => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPush(VcpuState* s, ulong value)
    {
        uint linear = (uint)s->General[4] - 4;
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, 4))
            return false;
        Ordered.Store(MemoryAccess.Host(entry, linear), (uint)value);
        s->General[4] = linear;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Top(VcpuState* s) => (uint)s->General[4];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(VcpuState* s, ulong more) => s->General[4] = (uint)(s->General[4] + 4 + more);
}
