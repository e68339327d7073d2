using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

internal readonly unsafe struct And : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        LazyFlags.RecordLogic(s, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Or : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        LazyFlags.RecordLogic(s, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct Xor : IBinaryOperation
{
    public static bool Stores => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        LazyFlags.RecordLogic(s, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}

internal readonly unsafe struct TestBits : IBinaryOperation
{
    public static bool Stores => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        LazyFlags.RecordLogic(s, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T> => TCondition.Logic(result);
}
