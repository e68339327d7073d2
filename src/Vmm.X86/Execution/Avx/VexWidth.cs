using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>Length of the vectors that a VEX-encoded instruction works on.</summary>
internal interface IVexWidth
{
    /// <summary>16 or 32.</summary>
    static abstract int Bytes { get; }
}

/// <summary>VEX.128: the destination's upper half becomes zero.</summary>
internal readonly struct Width128 : IVexWidth
{
    public static int Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16;
    }
}

/// <summary>VEX.256.</summary>
internal readonly struct Width256 : IVexWidth
{
    public static int Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 32;
    }
}

/// <summary>Ends of VEX-encoded operations.</summary>
// SAFETY: a destination is a whole 32-byte register of the state block.
internal static unsafe class VexDestination
{
    /// <summary>Stores a 16-byte result and clears the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(byte* destination, Vector128<byte> value)
    {
        ((Vector128<byte>*)destination)[0] = value;
        ((Vector128<byte>*)destination)[1] = default;
    }

    /// <summary>Copies a finished result of one width in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set<TWidth>(byte* destination, byte* value)
        where TWidth : struct, IVexWidth
    {
        ((Vector128<byte>*)destination)[0] = ((Vector128<byte>*)value)[0];
        ((Vector128<byte>*)destination)[1] = TWidth.Bytes == 32 ? ((Vector128<byte>*)value)[1] : default;
    }
}
