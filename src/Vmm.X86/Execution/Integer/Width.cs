using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Registers and values of one operand width; every branch on the width folds away.</summary>
// SAFETY: offsets come from decoded operations and lie inside the state block.
internal static unsafe class Width
{
    /// <summary>Reads a register of the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Get<T>(VcpuState* s, nuint offset)
        where T : unmanaged => *(T*)((byte*)s + offset);

    /// <summary>Writes a register of the width: 32-bit writes clear the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set<T>(VcpuState* s, nuint offset, T value)
        where T : unmanaged
    {
        if (sizeof(T) == 4)
            *(ulong*)((byte*)s + offset) = Unsafe.BitCast<T, uint>(value);
        else
            *(T*)((byte*)s + offset) = value;
    }

    /// <summary>Sign-extends to 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Signed<T>(T value)
        where T : unmanaged
    {
        if (sizeof(T) == 1)
            return (ulong)(sbyte)Unsafe.BitCast<T, byte>(value);
        if (sizeof(T) == 2)
            return (ulong)(short)Unsafe.BitCast<T, ushort>(value);
        if (sizeof(T) == 4)
            return (ulong)(int)Unsafe.BitCast<T, uint>(value);
        return Unsafe.BitCast<T, ulong>(value);
    }

    /// <summary>Zero-extends to 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Unsigned<T>(T value)
        where T : unmanaged
    {
        if (sizeof(T) == 1)
            return Unsafe.BitCast<T, byte>(value);
        if (sizeof(T) == 2)
            return Unsafe.BitCast<T, ushort>(value);
        if (sizeof(T) == 4)
            return Unsafe.BitCast<T, uint>(value);
        return Unsafe.BitCast<T, ulong>(value);
    }

    /// <summary>Truncates from 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T From<T>(ulong value)
        where T : unmanaged
    {
        if (sizeof(T) == 1)
            return Unsafe.BitCast<byte, T>((byte)value);
        if (sizeof(T) == 2)
            return Unsafe.BitCast<ushort, T>((ushort)value);
        if (sizeof(T) == 4)
            return Unsafe.BitCast<uint, T>((uint)value);
        return Unsafe.BitCast<ulong, T>(value);
    }

    /// <summary>Bits of the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Bits<T>()
        where T : unmanaged => sizeof(T) * 8;

    /// <summary>The sign bit as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint SignBit<T>(T value)
        where T : unmanaged, IBinaryInteger<T> => (uint)(Signed(value) >> 63);
}
