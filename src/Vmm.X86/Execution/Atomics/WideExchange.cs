using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// A compare-exchange of 16 bytes. .NET has none, so on x86-64 hosts it is a few bytes of machine code; elsewhere, and where the host
/// refuses executable memory, <see cref="IsAtomic"/> is false and the caller must be alone.
/// </summary>
// SAFETY: the code touches the 16 bytes at each of its three arguments, which callers own; it makes no call, cannot throw and keeps the
// registers that the calling convention asks for. The page it lies in is never freed.
internal static unsafe class WideExchange
{
    // push rbx; mov r10, ADDRESS; mov r11, EXPECTED; mov r9, VALUE; mov rbx, [r9]; mov rcx, [r9+8]; mov rax, [r11]; mov rdx, [r11+8];
    // lock cmpxchg16b [r10]; mov [r11], rax; mov [r11+8], rdx; pop rbx; ret
    private static ReadOnlySpan<byte> UnixArguments => [0x49, 0x89, 0xFA, 0x49, 0x89, 0xF3, 0x49, 0x89, 0xD1]; // RDI, RSI, RDX

    private static ReadOnlySpan<byte> WindowsArguments => [0x49, 0x89, 0xCA, 0x49, 0x89, 0xD3, 0x4D, 0x89, 0xC1]; // RCX, RDX, R8

    private static ReadOnlySpan<byte> Body =>
    [
        0x49, 0x8B, 0x19, 0x49, 0x8B, 0x49, 0x08, 0x49, 0x8B, 0x03, 0x49, 0x8B, 0x53, 0x08, 0xF0, 0x49, 0x0F, 0xC7, 0x0A, 0x49, 0x89, 0x03, 0x49, 0x89, 0x53, 0x08, 0x5B, 0xC3,
    ];

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong*, UInt128*, UInt128*, void> s_code = Make();

    /// <summary>The exchange is one access for every processor.</summary>
    public static bool IsAtomic => s_code != null;

    /// <summary>Replaces 16 bytes, aligned to as many, if they are as expected.</summary>
    /// <returns>What was there.</returns>
    public static UInt128 CompareExchange(ulong* p, UInt128 value, UInt128 expected)
    {
        // A copy of what is no memory need not be aligned: nobody else sees it.
        if (s_code == null || ((nuint)p & 15) != 0)
            return CompareExchangeAlone(p, value, expected);
        s_code(p, &expected, &value);
        return expected;
    }

    /// <summary>The same for a caller that need not be seen as atomic.</summary>
    public static UInt128 CompareExchangeAlone(ulong* p, UInt128 value, UInt128 expected)
    {
        UInt128 seen = new(Ordered.Load<ulong>((byte*)(p + 1)), Ordered.Load<ulong>((byte*)p));
        if (seen == expected)
        {
            Ordered.Store((byte*)p, (ulong)value);
            Ordered.Store((byte*)(p + 1), (ulong)(value >> 64));
        }
        return seen;
    }

    private static delegate* unmanaged[SuppressGCTransition]<ulong*, UInt128*, UInt128*, void> Make()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        ReadOnlySpan<byte> code = [0x53, .. OperatingSystem.IsWindows() ? WindowsArguments : UnixArguments, .. Body];
        return (delegate* unmanaged[SuppressGCTransition]<ulong*, UInt128*, UInt128*, void>)ExecutablePage.TryMake(code);
    }
}
