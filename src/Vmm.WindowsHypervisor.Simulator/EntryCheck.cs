namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// What Intel's processors check of registers when they enter a guest (SDM Vol. 3C 27.3.1.2 to 27.3.1.4): a run with others ends at once.
/// </summary>
internal static class EntryCheck
{
    private const uint Present = 0x80, NonSystem = 0x10, Reserved = 0xF00, Long = 0x2000, Default = 0x4000, Granular = 0x8000;
    private const uint Accessed = 1, Readable = 2, Code = 8;
    private const ulong Virtual8086 = 0x2_0000;

    public static bool Accepts(in ProcessorState state)
    {
        ref readonly SegmentRegisters segments = ref state.Segments;
        bool isProtected = (state.Control.Cr0 & 1) != 0, isLong = (state.Control.Efer & 0x400) != 0;
        bool isVirtual = (state.General.Rflags & Virtual8086) != 0;
        if (isVirtual && (!isProtected || isLong))
            return false;
        if (!isLong || (segments.Cs.Attributes & Long) == 0)
        {
            if (state.General.Rip >> 32 != 0)
                return false;
        }
        if (!Task(segments.Tr, isLong) || !Local(segments.Ldtr))
            return false;
        if (isVirtual)
        {
            return Virtual(segments.Cs) && Virtual(segments.Ss) && Virtual(segments.Ds) && Virtual(segments.Es) && Virtual(segments.Fs)
                && Virtual(segments.Gs);
        }
        return CodeSegment(segments.Cs, segments.Ss, isProtected, isLong) && Stack(segments.Ss, segments.Cs, isProtected)
            && Data(segments.Ds) && Data(segments.Es) && Data(segments.Fs) && Data(segments.Gs);
    }

    private static bool CodeSegment(SegmentDescriptor cs, SegmentDescriptor ss, bool isProtected, bool isLong)
    {
        uint type = cs.Attributes & 15;
        bool isCode = (type & (Code | Accessed)) == (Code | Accessed);
        if (!IsUsable(cs) || !Common(cs) || !(isCode || type == 3) || (type == 3 && Privilege(cs) != 0))
            return false;
        if (isLong && (cs.Attributes & (Long | Default)) == (Long | Default))
            return false;
        return !isProtected || !isCode || ((type & 4) != 0 ? Privilege(cs) <= Privilege(ss) : Privilege(cs) == Privilege(ss));
    }

    private static bool Stack(SegmentDescriptor ss, SegmentDescriptor cs, bool isProtected)
    {
        if ((!isProtected || (cs.Attributes & 15) == 3) && Privilege(ss) != 0)
            return false;
        return !IsUsable(ss) || ((ss.Attributes & 15) is 3 or 7 && Common(ss));
    }

    private static bool Data(SegmentDescriptor segment)
    {
        uint type = segment.Attributes & 15;
        return !IsUsable(segment) || ((type & Accessed) != 0 && ((type & Code) == 0 || (type & Readable) != 0) && Common(segment));
    }

    private static bool Common(SegmentDescriptor segment) =>
        (segment.Attributes & NonSystem) != 0 && (segment.Attributes & Reserved) == 0 && Limit(segment);

    private static bool Task(SegmentDescriptor tr, bool isLong) =>
        IsUsable(tr) && ((tr.Attributes & 15) == 11 || ((tr.Attributes & 15) == 3 && !isLong)) && System(tr);

    private static bool Local(SegmentDescriptor ldtr) => !IsUsable(ldtr) || ((ldtr.Attributes & 15) == 2 && System(ldtr));

    private static bool System(SegmentDescriptor segment) =>
        (segment.Attributes & (NonSystem | Reserved)) == 0 && Limit(segment);

    private static bool Limit(SegmentDescriptor segment) => (segment.Attributes & Granular) != 0
        ? (segment.Limit & 0xFFF) == 0xFFF
        : segment.Limit >> 20 == 0;

    private static bool Virtual(SegmentDescriptor segment) =>
        segment.Base == (ulong)segment.Selector << 4 && segment.Limit == 0xFFFF && (segment.Attributes & 0xFFFF) == 0xF3;

    private static uint Privilege(SegmentDescriptor segment) => segment.Attributes >> 5 & 3;

    private static bool IsUsable(SegmentDescriptor segment) =>
        (segment.Attributes & SegmentDescriptor.Unusable) == 0 && (segment.Attributes & Present) != 0;
}
