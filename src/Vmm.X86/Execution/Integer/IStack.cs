using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>The stack and instruction pointer of 64-bit code, or of flat 32-bit code with a 32-bit stack pointer, at the default operand size.</summary>
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

    /// <summary>Host address of the slot at the top when the soft TLB has the page, else null.</summary>
    static abstract byte* Top(VcpuState* s);

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
    public static bool Refuses(ulong rip) => !ProcessorCore.IsCanonical(rip);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPush(VcpuState* s, ulong value)
    {
        ulong linear = s->General[4] - 8;
        byte* p = MemoryAccess.ProbeWrite(s, linear, 8);
        if (p == null)
            return false;
        *(ulong*)p = value;
        s->General[4] = linear;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Top(VcpuState* s) => MemoryAccess.ProbeRead(s, s->General[4], 8);

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
        byte* p = MemoryAccess.ProbeWrite(s, linear, 4);
        if (p == null)
            return false;
        *(uint*)p = (uint)value;
        s->General[4] = linear;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Top(VcpuState* s) => MemoryAccess.ProbeRead(s, (uint)s->General[4], 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(VcpuState* s, ulong more) => s->General[4] = (uint)(s->General[4] + 4 + more);
}
