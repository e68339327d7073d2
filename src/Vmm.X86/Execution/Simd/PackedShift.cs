using System.Runtime.Intrinsics;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

/// <summary>A packed shift: every lane by the same count, which is not masked but clamped (SDM Vol. 2B "PSLLW/PSLLD/PSLLQ").</summary>
internal interface IPackedShift
{
    /// <summary>The operation.</summary>
    static abstract Xmm Apply(Xmm d, ulong count);
}

internal readonly struct Psllw : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 15 ? default : Vector128.ShiftLeft(d.AsUInt16(), (int)count).AsByte();
}

internal readonly struct Pslld : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 31 ? default : Vector128.ShiftLeft(d.AsUInt32(), (int)count).AsByte();
}

internal readonly struct Psllq : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 63 ? default : Vector128.ShiftLeft(d.AsUInt64(), (int)count).AsByte();
}

internal readonly struct Psrlw : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 15 ? default : Vector128.ShiftRightLogical(d.AsUInt16(), (int)count).AsByte();
}

internal readonly struct Psrld : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 31 ? default : Vector128.ShiftRightLogical(d.AsUInt32(), (int)count).AsByte();
}

internal readonly struct Psrlq : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 63 ? default : Vector128.ShiftRightLogical(d.AsUInt64(), (int)count).AsByte();
}

internal readonly struct Psraw : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => Vector128.ShiftRightArithmetic(d.AsInt16(), (int)Math.Min(count, 15)).AsByte();
}

internal readonly struct Psrad : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => Vector128.ShiftRightArithmetic(d.AsInt32(), (int)Math.Min(count, 31)).AsByte();
}

internal readonly struct Pslldq : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 15 ? default : Palignr.Apply(d, default, (byte)(16 - count));
}

internal readonly struct Psrldq : IPackedShift
{
    public static Xmm Apply(Xmm d, ulong count) => count > 15 ? default : Palignr.Apply(default, d, (byte)count);
}
