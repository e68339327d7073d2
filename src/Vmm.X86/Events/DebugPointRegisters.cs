using Vmm.X86.Execution;

namespace Vmm.X86.Events;

/// <summary>Breakpoints and watchpoints of the host's debugger in a processor's debug registers (SDM Vol. 3B 18.2).</summary>
public static class DebugPointRegisters
{
    /// <summary>How many there are.</summary>
    public const int Count = 4;

    /// <summary>The bits of DR7 that belong to one address register.</summary>
    /// <param name="register">0 to 3.</param>
    public static ulong Mask(int register) => (3UL << (2 * register)) | (0xFUL << (16 + (4 * register)));

    /// <summary>The bits of DR7 that enable a point in an address register.</summary>
    /// <param name="point">The point.</param>
    /// <param name="register">0 to 3.</param>
    public static ulong Control(DebugPoint point, int register) => (2UL << (2 * register)) | (Condition(point) << (16 + (4 * register)));

    /// <summary>The exit of a point that was hit, by bits as DR6 shows them.</summary>
    public static DebugExit Hit(DebugPoint point, ulong status) => new()
    {
        Address = point.Address,
        Dr6 = status & (DebugBits.StatusBreakpoints | DebugBits.StatusSingleStep),
        Access = point.Kind switch
        {
            DebugPointKind.Execute => GuestAccess.Execute,
            DebugPointKind.Write => GuestAccess.Write,
            _ => GuestAccess.ReadWrite,
        },
    };

    // The kind of access in two bits, then the length in two.
    private static ulong Condition(DebugPoint point)
    {
        if (point.Kind == DebugPointKind.Execute)
            return 0;
        ulong length = point.Length switch { 1 => 0, 2 => 1, 8 => 2, _ => 3UL };
        return (point.Kind == DebugPointKind.Write ? 1UL : 3UL) | (length << 2);
    }
}
