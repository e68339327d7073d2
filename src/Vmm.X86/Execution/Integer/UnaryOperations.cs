using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

internal readonly unsafe struct Increment : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a + T.One;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        // CF stays; the top bit of the carries is OF ^ CF, so it takes the carry out and the old CF.
        uint carry = s->FlagCarry & 1;
#if VMM_MUTANTS
        carry = Broken(Mutant.IncSetsCarry) ? (result == T.Zero ? 1U : 0) : carry;
#endif
        ulong carries = Width.Signed(a ^ T.One ^ result) ^ ((ulong)((result == T.Zero ? 1u : 0) ^ carry) << 63);
        s->FlagResult = Width.Signed(result);
        s->FlagCarries = carries;
        s->FlagCarry = carry;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Decrement : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a - T.One;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = s->FlagCarry & 1;
        ulong carries = Width.Signed(a ^ T.One ^ result) ^ ((ulong)((a == T.Zero ? 1u : 0) ^ carry) << 63);
        s->FlagResult = Width.Signed(result);
        s->FlagCarries = carries;
        s->FlagCarry = carry;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Negate : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => T.Zero - a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        LazyFlags.Record(s, result, a ^ result, a != T.Zero ? 1u : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Complement : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => ~a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Move : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}
