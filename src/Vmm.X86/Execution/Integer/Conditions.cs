using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

internal readonly unsafe struct Overflow : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Overflow(s) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => ((a ^ b) & (a ^ (a - b))) >> ((sizeof(T) * 8) - 1) != T.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => false;
}

internal readonly unsafe struct NotOverflow : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Overflow(s) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => !(((a ^ b) & (a ^ (a - b))) >> ((sizeof(T) * 8) - 1) != T.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => true;
}

internal readonly unsafe struct Below : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => (s->FlagCarry & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a < b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => false;
}

internal readonly unsafe struct AboveOrEqual : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => (s->FlagCarry & 1) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a >= b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => true;
}

internal readonly unsafe struct Equal : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => s->FlagResult == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a == b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => result == T.Zero;
}

internal readonly unsafe struct NotEqual : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => s->FlagResult != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a != b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => result != T.Zero;
}

internal readonly unsafe struct BelowOrEqual : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => (s->FlagCarry & 1) != 0 || s->FlagResult == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a <= b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => result == T.Zero;
}

internal readonly unsafe struct Above : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => !((s->FlagCarry & 1) != 0 || s->FlagResult == 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a > b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => result != T.Zero;
}

internal readonly unsafe struct Sign : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Sign(s) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(a - b) >> 63 != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(result) >> 63 != 0;
}

internal readonly unsafe struct NotSign : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Sign(s) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(a - b) >> 63 == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(result) >> 63 == 0;
}

internal readonly unsafe struct Parity : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Parity(s) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => (BitOperations.PopCount((byte)Width.Unsigned(a - b)) & 1) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => (BitOperations.PopCount((byte)Width.Unsigned(result)) & 1) == 0;
}

internal readonly unsafe struct NotParity : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Parity(s) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => (BitOperations.PopCount((byte)Width.Unsigned(a - b)) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => (BitOperations.PopCount((byte)Width.Unsigned(result)) & 1) != 0;
}

internal readonly unsafe struct Less : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => LazyFlags.Sign(s) != LazyFlags.Overflow(s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => (long)Width.Signed(a) < (long)Width.Signed(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(result) >> 63 != 0;
}

internal readonly unsafe struct GreaterOrEqual : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => !(LazyFlags.Sign(s) != LazyFlags.Overflow(s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => !((long)Width.Signed(a) < (long)Width.Signed(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => Width.Signed(result) >> 63 == 0;
}

internal readonly unsafe struct LessOrEqual : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => s->FlagResult == 0 || LazyFlags.Sign(s) != LazyFlags.Overflow(s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => (long)Width.Signed(a) <= (long)Width.Signed(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => (long)Width.Signed(result) <= 0;
}

internal readonly unsafe struct Greater : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test(VcpuState* s) => !(s->FlagResult == 0 || LazyFlags.Sign(s) != LazyFlags.Overflow(s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => !((long)Width.Signed(a) <= (long)Width.Signed(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T> => !((long)Width.Signed(result) <= 0);
}
