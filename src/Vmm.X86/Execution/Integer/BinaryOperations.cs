using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

// Carry vectors are operand1 ^ operand2 ^ result throughout: the carry (or borrow) into each bit. See LazyFlags.
internal readonly unsafe struct Add : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T> => LazyFlags.Record(s, result, a ^ b ^ result, result < a ? 1u : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Subtract : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T> => LazyFlags.Record(s, result, a ^ b ^ result, a < b ? 1u : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Compare(a, b);
}

internal readonly unsafe struct Compare : IBinaryOperation
{
    public static bool Stores => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T> => LazyFlags.Record(s, result, a ^ b ^ result, a < b ? 1u : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Compare(a, b);
}

internal readonly unsafe struct AddWithCarry : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a + b + Width.From<T>(s->FlagCarry & 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T> =>
        LazyFlags.Record(s, result, a ^ b ^ result, (result < a ? 1u : 0) | ((result == a ? 1u : 0) & s->FlagCarry & 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct SubtractWithBorrow : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a - b - Width.From<T>(s->FlagCarry & 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T> =>
        LazyFlags.Record(s, result, a ^ b ^ result, (a < b ? 1u : 0) | ((a == b ? 1u : 0) & s->FlagCarry & 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

/// <summary>IMUL with a result of one width: CF = OF = the product does not fit; ZF, SF and PF follow the result.</summary>
internal readonly unsafe struct Multiply : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        bool fits;
        if (sizeof(T) == 8)
            fits = HighPart((long)Width.Signed(a), (long)Width.Signed(b)) == (long)Width.Signed(result) >> 63;
        else
            fits = (long)Width.Signed(a) * (long)Width.Signed(b) == (long)Width.Signed(result);
        uint carry = fits ? 0u : 1;
        LazyFlags.RecordShift(s, result, carry, carry);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);

    // Apart, because the address of its local would keep the caller from ending in a jump.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long HighPart(long a, long b) => Math.BigMul(a, b, out _);
}
