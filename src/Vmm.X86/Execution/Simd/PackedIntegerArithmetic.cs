using System.Runtime.Intrinsics;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

// Additions, subtractions, averages, minima, maxima, absolute values and signs (SDM Vol. 2B, the instruction of the same name).

internal readonly struct Paddb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => d + s;
}

internal readonly struct Paddw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt16() + s.AsInt16()).AsByte();
}

internal readonly struct Paddd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt32() + s.AsInt32()).AsByte();
}

internal readonly struct Paddq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt64() + s.AsInt64()).AsByte();
}

internal readonly struct Psubb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => d - s;
}

internal readonly struct Psubw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt16() - s.AsInt16()).AsByte();
}

internal readonly struct Psubd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt32() - s.AsInt32()).AsByte();
}

internal readonly struct Psubq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt64() - s.AsInt64()).AsByte();
}

internal readonly struct Paddsb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.AddSaturate(d.AsSByte(), s.AsSByte()).AsByte();
}

internal readonly struct Paddsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.AddSaturate(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Paddusb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.AddSaturate(d, s);
}

internal readonly struct Paddusw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.AddSaturate(d.AsUInt16(), s.AsUInt16()).AsByte();
}

internal readonly struct Psubsb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.SubtractSaturate(d.AsSByte(), s.AsSByte()).AsByte();
}

internal readonly struct Psubsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.SubtractSaturate(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Psubusb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.SubtractSaturate(d, s);
}

internal readonly struct Psubusw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.SubtractSaturate(d.AsUInt16(), s.AsUInt16()).AsByte();
}

internal readonly struct Pavgb : IPackedOperation
{
    // (a + b + 1) / 2 without the carry out of the lane.
    public static Xmm Apply(Xmm d, Xmm s) => (d | s) - Vector128.ShiftRightLogical(d ^ s, 1);
}

internal readonly struct Pavgw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        ((d | s).AsUInt16() - Vector128.ShiftRightLogical((d ^ s).AsUInt16(), 1)).AsByte();
}

internal readonly struct Pminub : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d, s);
}

internal readonly struct Pmaxub : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d, s);
}

internal readonly struct Pminsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Pmaxsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Pminsb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d.AsSByte(), s.AsSByte()).AsByte();
}

internal readonly struct Pmaxsb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d.AsSByte(), s.AsSByte()).AsByte();
}

internal readonly struct Pminsd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d.AsInt32(), s.AsInt32()).AsByte();
}

internal readonly struct Pmaxsd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d.AsInt32(), s.AsInt32()).AsByte();
}

internal readonly struct Pminuw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d.AsUInt16(), s.AsUInt16()).AsByte();
}

internal readonly struct Pmaxuw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d.AsUInt16(), s.AsUInt16()).AsByte();
}

internal readonly struct Pminud : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Min(d.AsUInt32(), s.AsUInt32()).AsByte();
}

internal readonly struct Pmaxud : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Max(d.AsUInt32(), s.AsUInt32()).AsByte();
}

internal readonly struct Pabsb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Abs(s.AsSByte()).AsByte();
}

internal readonly struct Pabsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Abs(s.AsInt16()).AsByte();
}

internal readonly struct Pabsd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Abs(s.AsInt32()).AsByte();
}

internal readonly struct Psignb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Xmm negative = Vector128.LessThan(s.AsSByte(), default).AsByte();
        return Vector128.AndNot((d ^ negative) - negative, Vector128.Equals(s, default));
    }
}

internal readonly struct Psignw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<short> negative = Vector128.LessThan(s.AsInt16(), default);
        return Vector128.AndNot((d.AsInt16() ^ negative) - negative, Vector128.Equals(s.AsInt16(), default)).AsByte();
    }
}

internal readonly struct Psignd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<int> negative = Vector128.LessThan(s.AsInt32(), default);
        return Vector128.AndNot((d.AsInt32() ^ negative) - negative, Vector128.Equals(s.AsInt32(), default)).AsByte();
    }
}
