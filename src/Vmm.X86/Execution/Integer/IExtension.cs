using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Sign or zero extension to 64 bits.</summary>
internal interface IExtension
{
    static abstract ulong Widen<T>(T value)
        where T : unmanaged;
}

internal readonly struct SignExtension : IExtension
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Widen<T>(T value)
        where T : unmanaged => Width.Signed(value);
}

internal readonly struct ZeroExtension : IExtension
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Widen<T>(T value)
        where T : unmanaged => Width.Unsigned(value);
}
