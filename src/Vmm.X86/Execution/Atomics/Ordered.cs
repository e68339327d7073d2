using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.X86.Execution;

/// <summary>
/// Loads and stores of guest memory as x86 orders them (total store order, SDM Vol. 3A 9.2.2). On an x86 host they are plain ones;
/// elsewhere loads acquire and stores release, which gives the same. An aligned access of up to 8 bytes is one access of the host.
/// </summary>
// SAFETY: callers pass addresses of guest memory that hold for the access.
internal static unsafe class Ordered
{
    /// <summary>Loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(byte* p)
        where T : unmanaged => X86Base.IsSupported ? Unsafe.ReadUnaligned<T>(p) : LoadAcquire<T>(p);

    /// <summary>Stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* p, T value)
        where T : unmanaged
    {
        if (X86Base.IsSupported)
            Unsafe.WriteUnaligned(p, value);
        else
            StoreRelease(p, value);
    }

    /// <summary>Orders what this class does not carry out (vectors, strings, instructions from the table) against all else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fence()
    {
        if (!X86Base.IsSupported)
            Interlocked.MemoryBarrier();
    }

    /// <summary>A load that no later access passes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static T LoadAcquire<T>(byte* p)
        where T : unmanaged
    {
        if (((nuint)p & (nuint)(sizeof(T) - 1)) == 0)
        {
            switch (sizeof(T))
            {
                case 1:
                    return Unsafe.BitCast<byte, T>(Volatile.Read(ref *p));
                case 2:
                    return Unsafe.BitCast<ushort, T>(Volatile.Read(ref *(ushort*)p));
                case 4:
                    return Unsafe.BitCast<uint, T>(Volatile.Read(ref *(uint*)p));
                case 8:
                    return Unsafe.BitCast<ulong, T>(Volatile.Read(ref *(ulong*)p));
            }
        }
        T value = Unsafe.ReadUnaligned<T>(p);
        Volatile.ReadBarrier();
        return value;
    }

    /// <summary>A store that passes no earlier access.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void StoreRelease<T>(byte* p, T value)
        where T : unmanaged
    {
        if (((nuint)p & (nuint)(sizeof(T) - 1)) == 0)
        {
            switch (sizeof(T))
            {
                case 1:
                    Volatile.Write(ref *p, Unsafe.BitCast<T, byte>(value));
                    return;
                case 2:
                    Volatile.Write(ref *(ushort*)p, Unsafe.BitCast<T, ushort>(value));
                    return;
                case 4:
                    Volatile.Write(ref *(uint*)p, Unsafe.BitCast<T, uint>(value));
                    return;
                case 8:
                    Volatile.Write(ref *(ulong*)p, Unsafe.BitCast<T, ulong>(value));
                    return;
            }
        }
        Volatile.WriteBarrier();
        Unsafe.WriteUnaligned(p, value);
    }
}
