namespace Vmm;

/// <summary>A segment register with its hidden part (SDM Vol. 3A 3.4.3).</summary>
/// <param name="Selector">Visible part.</param>
/// <param name="Base">Base linear address.</param>
/// <param name="Limit">Highest offset in bytes, granularity applied.</param>
/// <param name="Attributes">
/// Descriptor attributes: type (bits 0-3), S (4), DPL (5-6), P (7), AVL (12), L (13), D/B (14), G (15); bit 16 = unusable.
/// </param>
public readonly record struct SegmentDescriptor(ushort Selector, ulong Base, uint Limit, uint Attributes)
{
    /// <summary>Bit of <see cref="Attributes"/>: a null selector was loaded.</summary>
    public const uint Unusable = 0x1_0000;

    /// <summary>A real-mode code segment: base = selector × 16.</summary>
    public static SegmentDescriptor RealModeCode(ushort selector) => new(selector, (ulong)selector << 4, 0xFFFF, 0x9B);

    /// <summary>A real-mode data segment: base = selector × 16.</summary>
    public static SegmentDescriptor RealModeData(ushort selector) => new(selector, (ulong)selector << 4, 0xFFFF, 0x93);

    /// <summary>Flat 32-bit code, privilege level 0.</summary>
    public static SegmentDescriptor FlatCode32(ushort selector) => new(selector, 0, uint.MaxValue, 0xC09B);

    /// <summary>64-bit code, privilege level 0.</summary>
    public static SegmentDescriptor Code64(ushort selector) => new(selector, 0, uint.MaxValue, 0xA09B);

    /// <summary>Flat 32-bit data, privilege level 0.</summary>
    public static SegmentDescriptor FlatData(ushort selector) => new(selector, 0, uint.MaxValue, 0xC093);
}

/// <summary>GDTR or IDTR.</summary>
/// <param name="Base">Linear address of the table.</param>
/// <param name="Limit">Offset of its last byte.</param>
public readonly record struct TableDescriptor(ulong Base, ushort Limit);

/// <summary>Segment registers and descriptor-table registers.</summary>
public record struct SegmentRegisters
{
    /// <summary>ES: extra data.</summary>
    public SegmentDescriptor Es;

    /// <summary>CS: code.</summary>
    public SegmentDescriptor Cs;

    /// <summary>SS: stack.</summary>
    public SegmentDescriptor Ss;

    /// <summary>DS: data.</summary>
    public SegmentDescriptor Ds;

    /// <summary>FS; its base is an MSR in 64-bit mode.</summary>
    public SegmentDescriptor Fs;

    /// <summary>GS; its base is an MSR in 64-bit mode.</summary>
    public SegmentDescriptor Gs;

    /// <summary>LDTR: local descriptor table.</summary>
    public SegmentDescriptor Ldtr;

    /// <summary>TR: task state segment.</summary>
    public SegmentDescriptor Tr;

    /// <summary>GDTR: global descriptor table.</summary>
    public TableDescriptor Gdtr;

    /// <summary>IDTR: interrupt descriptor table.</summary>
    public TableDescriptor Idtr;
}
