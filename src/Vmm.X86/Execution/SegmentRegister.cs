using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>A segment register with its hidden part (SDM Vol. 3A 3.4.3).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SegmentRegister
{
    /// <summary>Base linear address.</summary>
    public ulong Base;

    /// <summary>Highest valid offset, in bytes, granularity applied (for expand-down segments: the lowest invalid one).</summary>
    public uint Limit;

    /// <summary>
    /// Descriptor attributes as in the descriptor's high doubleword shifted right by 8: type (0-3), S (4), DPL (5-6), P (7), AVL (12), L
    /// (13),
    /// D/B (14), G (15); bit 16 = unusable (a null selector).
    /// </summary>
    public uint Attributes;

    /// <summary>Selector.</summary>
    public ushort Selector;

    /// <summary>The register holds a null selector or was never loaded: accesses fault.</summary>
    public readonly bool Unusable => (Attributes & UnusableBit) != 0;

    /// <summary>Descriptor type, 0 to 15.</summary>
    public readonly uint Type => Attributes & 15;

    /// <summary>Descriptor privilege level.</summary>
    public readonly uint Dpl => (Attributes >> 5) & 3;

    /// <summary>Present.</summary>
    public readonly bool Present => (Attributes & 0x80) != 0;

    /// <summary>Code or data (S = 1) rather than a system segment.</summary>
    public readonly bool CodeOrData => (Attributes & 0x10) != 0;

    /// <summary>D/B: 32-bit default size.</summary>
    public readonly bool Big => (Attributes & 0x4000) != 0;

    /// <summary>L: 64-bit code.</summary>
    public readonly bool Long => (Attributes & 0x2000) != 0;

    /// <summary>Bit of <see cref="Attributes"/>: unusable.</summary>
    public const uint UnusableBit = 0x1_0000;
}

/// <summary>The eight segment registers in encoding order: ES, CS, SS, DS, FS, GS, LDTR, TR.</summary>
[InlineArray(8)]
public struct SegmentArray
{
    private SegmentRegister _first;
}

/// <summary>Indices into <see cref="SegmentArray"/>; the first six are the encoding's.</summary>
public static class SegmentIndex
{
    /// <summary>ES: extra data.</summary>
    public const int Es = 0;

    /// <summary>CS: code.</summary>
    public const int Cs = 1;

    /// <summary>SS: stack.</summary>
    public const int Ss = 2;

    /// <summary>DS: data.</summary>
    public const int Ds = 3;

    /// <summary>FS; its base is an MSR in 64-bit mode.</summary>
    public const int Fs = 4;

    /// <summary>GS; its base is an MSR in 64-bit mode.</summary>
    public const int Gs = 5;

    /// <summary>LDTR: local descriptor table.</summary>
    public const int Ldtr = 6;

    /// <summary>TR: task state segment.</summary>
    public const int Tr = 7;
}

/// <summary>GDTR or IDTR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TableRegister
{
    /// <summary>Linear address of the table.</summary>
    public ulong Base;

    /// <summary>Highest valid byte offset.</summary>
    public uint Limit;
}
