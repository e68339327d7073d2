using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>An XMM operation whose lanes do not meet, on the low half.</summary>
internal readonly struct Lanewise<TOperation> : IMmxOperation
    where TOperation : struct, IPackedOperation
{
    public static ulong Apply(ulong d, ulong s) =>
        TOperation.Apply(Vector128.CreateScalar(d).AsByte(), Vector128.CreateScalar(s).AsByte()).AsUInt64().ToScalar();
}

/// <summary>An XMM operation that treats each operand alike and puts the destination's results low (packs, horizontal sums).</summary>
internal readonly struct Joined<TOperation> : IMmxOperation
    where TOperation : struct, IPackedOperation
{
    public static ulong Apply(ulong d, ulong s) => TOperation.Apply(Vector128.Create(d, s).AsByte(), default).AsUInt64().ToScalar();
}

/// <summary>The upper half of an XMM low unpack: the MMX high unpack.</summary>
internal readonly struct UpperHalf<TOperation> : IMmxOperation
    where TOperation : struct, IPackedOperation
{
    public static ulong Apply(ulong d, ulong s) =>
        TOperation.Apply(Vector128.CreateScalar(d).AsByte(), Vector128.CreateScalar(s).AsByte()).AsUInt64()[1];
}

/// <summary>PSHUFB on eight bytes: three bits select.</summary>
internal readonly struct ShuffleBytes : IMmxOperation
{
    public static ulong Apply(ulong d, ulong s) =>
        Pshufb.Apply(Vector128.CreateScalar(d).AsByte(), Vector128.CreateScalar(s & 0x8787_8787_8787_8787).AsByte()).AsUInt64().ToScalar();
}

/// <summary>PSHUFW.</summary>
internal readonly struct ShuffleWords : IMmxImmediateOperation
{
    public static ulong Apply(ulong d, ulong s, byte immediate) => Pshuflw.Shuffle(s, immediate);
}

/// <summary>PALIGNR on eight bytes.</summary>
internal readonly struct AlignRight : IMmxImmediateOperation
{
    public static ulong Apply(ulong d, ulong s, byte immediate) =>
        immediate >= 16 ? 0 : Palignr.Apply(default, Vector128.Create(s, d).AsByte(), immediate).AsUInt64().ToScalar();
}
