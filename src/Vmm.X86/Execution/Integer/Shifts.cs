using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

// Where a count makes OF undefined it is what a count of one would give; where it makes CF undefined, zero.
internal readonly unsafe struct ShiftLeft : IShift
{
    public static bool Rotates => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (sizeof(T) >= 4)
            return value << count;
        return Width.From<T>(Width.Unsigned(value) << count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = count <= Width.Bits<T>() ? (uint)(Width.Unsigned(value) >> (Width.Bits<T>() - count)) & 1 : 0;
        LazyFlags.RecordShift(s, result, carry, Width.SignBit(result) ^ carry);
    }
}

internal readonly unsafe struct ShiftRight : IShift
{
    public static bool Rotates => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        return Width.From<T>(Width.Unsigned(value) >> count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = (uint)(Width.Unsigned(value) >> (count - 1)) & 1;
        LazyFlags.RecordShift(s, result, carry, Width.SignBit(value));
    }
}

internal readonly unsafe struct ShiftArithmetic : IShift
{
    public static bool Rotates => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        return Width.From<T>((ulong)((long)Width.Signed(value) >> count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = (uint)((long)Width.Signed(value) >> (count - 1)) & 1;
        LazyFlags.RecordShift(s, result, carry, 0);
    }
}

internal readonly unsafe struct RotateLeft : IShift
{
    public static bool Rotates => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        return T.RotateLeft(value, count & (Width.Bits<T>() - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = (uint)Width.Unsigned(result) & 1;
        LazyFlags.RecordRotate(s, carry, Width.SignBit(result) ^ carry);
    }
}

internal readonly unsafe struct RotateRight : IShift
{
    public static bool Rotates => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        return T.RotateRight(value, count & (Width.Bits<T>() - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint carry = Width.SignBit(result);
        LazyFlags.RecordRotate(s, carry, carry ^ Width.SignBit(result << 1));
    }
}

internal readonly unsafe struct RotateCarryLeft : IShift
{
    public static bool Rotates => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = Width.Bits<T>();
        count %= bits + 1;
        if (count == 0)
            return value;
        ulong v = Width.Unsigned(value);
        ulong high = count == 1 ? 0 : v >> (bits + 1 - count);
        ulong low = count == 64 ? 0 : v << count;
        return Width.From<T>(low | ((ulong)(s->FlagCarry & 1) << (count - 1)) | high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = Width.Bits<T>();
        count %= bits + 1;
        uint carry = count == 0 ? s->FlagCarry & 1 : (uint)(Width.Unsigned(value) >> (bits - count)) & 1;
        LazyFlags.RecordRotate(s, carry, Width.SignBit(result) ^ carry);
    }
}

internal readonly unsafe struct RotateCarryRight : IShift
{
    public static bool Rotates => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = Width.Bits<T>();
        count %= bits + 1;
        if (count == 0)
            return value;
        ulong v = Width.Unsigned(value);
        ulong low = count == 64 ? 0 : v >> count;
        ulong high = count == 1 ? 0 : v << (bits + 1 - count);
        return Width.From<T>(low | ((ulong)(s->FlagCarry & 1) << (bits - count)) | high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = Width.Bits<T>();
        count %= bits + 1;
        uint carry = count == 0 ? s->FlagCarry & 1 : (uint)(Width.Unsigned(value) >> (count - 1)) & 1;
        LazyFlags.RecordRotate(s, carry, Width.SignBit(result) ^ Width.SignBit(result << 1));
    }
}
