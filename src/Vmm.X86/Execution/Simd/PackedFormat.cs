using System.Runtime.Intrinsics;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

// Packs, unpacks and fixed shuffles (SDM Vol. 2B).

internal readonly struct Packsswb : IPackedOperation
{
    private static Vector128<short> Clamp(Xmm x) =>
        Vector128.Min(Vector128.Max(x.AsInt16(), Vector128.Create((short)sbyte.MinValue)), Vector128.Create((short)sbyte.MaxValue));

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Clamp(d), Clamp(s)).AsByte();
}

internal readonly struct Packuswb : IPackedOperation
{
    private static Vector128<ushort> Clamp(Xmm x) =>
        Vector128.Min(Vector128.Max(x.AsInt16(), default), Vector128.Create((short)byte.MaxValue)).AsUInt16();

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Clamp(d), Clamp(s));
}

internal readonly struct Packssdw : IPackedOperation
{
    private static Vector128<int> Clamp(Xmm x) =>
        Vector128.Min(Vector128.Max(x.AsInt32(), Vector128.Create((int)short.MinValue)), Vector128.Create((int)short.MaxValue));

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Clamp(d), Clamp(s)).AsByte();
}

internal readonly struct Packusdw : IPackedOperation
{
    private static Vector128<uint> Clamp(Xmm x) =>
        Vector128.Min(Vector128.Max(x.AsInt32(), default), Vector128.Create((int)ushort.MaxValue)).AsUInt32();

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Clamp(d), Clamp(s)).AsByte();
}

internal readonly struct Punpcklbw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (Vector128.WidenLower(d) | Vector128.ShiftLeft(Vector128.WidenLower(s), 8)).AsByte();
}

internal readonly struct Punpckhbw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (Vector128.WidenUpper(d) | Vector128.ShiftLeft(Vector128.WidenUpper(s), 8)).AsByte();
}

internal readonly struct Punpcklwd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        (Vector128.WidenLower(d.AsUInt16()) | Vector128.ShiftLeft(Vector128.WidenLower(s.AsUInt16()), 16)).AsByte();
}

internal readonly struct Punpckhwd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        (Vector128.WidenUpper(d.AsUInt16()) | Vector128.ShiftLeft(Vector128.WidenUpper(s.AsUInt16()), 16)).AsByte();
}

internal readonly struct Punpckldq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        (Vector128.WidenLower(d.AsUInt32()) | Vector128.ShiftLeft(Vector128.WidenLower(s.AsUInt32()), 32)).AsByte();
}

internal readonly struct Punpckhdq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        (Vector128.WidenUpper(d.AsUInt32()) | Vector128.ShiftLeft(Vector128.WidenUpper(s.AsUInt32()), 32)).AsByte();
}

internal readonly struct Punpcklqdq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Create(d.AsUInt64().GetLower(), s.AsUInt64().GetLower()).AsByte();
}

internal readonly struct Punpckhqdq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Create(d.AsUInt64().GetUpper(), s.AsUInt64().GetUpper()).AsByte();
}

internal readonly struct Pshufb : IPackedOperation
{
    // A selector with bit 7 set gives zero; of the others the low four bits count.
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Xmm clear = Vector128.LessThan(s.AsSByte(), default).AsByte();
        return Vector128.AndNot(Vector128.Shuffle(d, s & Vector128.Create((byte)15)), clear);
    }
}

internal readonly struct Pshufd : IPackedImmediateOperation
{
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<int> chosen = Vector128.Create(immediate & 3, (immediate >> 2) & 3, (immediate >> 4) & 3, immediate >> 6);
        return Vector128.Shuffle(s.AsInt32(), chosen).AsByte();
    }
}

internal readonly struct Pshuflw : IPackedImmediateOperation
{
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<ulong> quadwords = s.AsUInt64();
        return Vector128.Create(Shuffle(quadwords[0], immediate), quadwords[1]).AsByte();
    }

    /// <summary>Four words chosen from a quadword: also PSHUFW.</summary>
    internal static ulong Shuffle(ulong words, byte immediate) =>
        (ushort)(words >> ((immediate & 3) * 16))
        | ((ulong)(ushort)(words >> (((immediate >> 2) & 3) * 16)) << 16)
        | ((ulong)(ushort)(words >> (((immediate >> 4) & 3) * 16)) << 32)
        | (words >> ((immediate >> 6) * 16) << 48);
}

internal readonly struct Pshufhw : IPackedImmediateOperation
{
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<ulong> quadwords = s.AsUInt64();
        return Vector128.Create(quadwords[0], Pshuflw.Shuffle(quadwords[1], immediate)).AsByte();
    }
}

internal readonly struct Shufps : IPackedImmediateOperation
{
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<uint> a = d.AsUInt32(), b = s.AsUInt32();
        return Vector128.Create(a[immediate & 3], a[(immediate >> 2) & 3], b[(immediate >> 4) & 3], b[immediate >> 6]).AsByte();
    }
}

internal readonly struct Shufpd : IPackedImmediateOperation
{
    public static int UpperLaneShift => 2;

    public static Xmm Apply(Xmm d, Xmm s, byte immediate) =>
        Vector128.Create(d.AsUInt64()[immediate & 1], s.AsUInt64()[(immediate >> 1) & 1]).AsByte();
}

internal readonly struct Palignr : IPackedImmediateOperation
{
    // An index out of range gives zero: so the two sources fill each other's gaps, and nothing is left of either from 32 on.
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Xmm at = Vector128<byte>.Indices + Vector128.Create(Math.Min(immediate, (byte)32));
        return Vector128.Shuffle(s, at) | Vector128.Shuffle(d, at - Vector128.Create((byte)16));
    }
}

internal readonly struct Movsldup : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Shuffle(s.AsInt32(), Vector128.Create(0, 0, 2, 2)).AsByte();
}

internal readonly struct Movshdup : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Shuffle(s.AsInt32(), Vector128.Create(1, 1, 3, 3)).AsByte();
}
