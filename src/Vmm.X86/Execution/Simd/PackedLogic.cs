using System.Runtime.Intrinsics;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

// Bitwise operations, comparisons and blends (SDM Vol. 2A, 2B).

internal readonly struct Pand : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => d & s;
}

internal readonly struct Pandn : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => ~d & s;
}

internal readonly struct Por : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => d | s;
}

internal readonly struct Pxor : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => d ^ s;
}

internal readonly struct Pcmpeqb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Equals(d, s);
}

internal readonly struct Pcmpeqw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Equals(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Pcmpeqd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Equals(d.AsInt32(), s.AsInt32()).AsByte();
}

internal readonly struct Pcmpeqq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Equals(d.AsInt64(), s.AsInt64()).AsByte();
}

internal readonly struct Pcmpgtb : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.GreaterThan(d.AsSByte(), s.AsSByte()).AsByte();
}

internal readonly struct Pcmpgtw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.GreaterThan(d.AsInt16(), s.AsInt16()).AsByte();
}

internal readonly struct Pcmpgtd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.GreaterThan(d.AsInt32(), s.AsInt32()).AsByte();
}

internal readonly struct Pcmpgtq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.GreaterThan(d.AsInt64(), s.AsInt64()).AsByte();
}

internal readonly struct Blendps : IPackedImmediateOperation
{
    public static int UpperLaneShift => 4;

    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<int> bits = Vector128.Create(1, 2, 4, 8);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((int)immediate) & bits, bits).AsByte(), s, d);
    }
}

internal readonly struct Blendpd : IPackedImmediateOperation
{
    public static int UpperLaneShift => 2;

    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<long> bits = Vector128.Create(1L, 2L);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((long)immediate) & bits, bits).AsByte(), s, d);
    }
}

internal readonly struct Pblendw : IPackedImmediateOperation
{
    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        Vector128<short> bits = Vector128.Create(1, 2, 4, 8, 16, 32, 64, 128);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((short)immediate) & bits, bits).AsByte(), s, d);
    }
}
