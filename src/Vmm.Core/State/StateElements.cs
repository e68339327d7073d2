namespace Vmm;

/// <summary>The registry of state elements: save, restore, comparison and reset check all come from it.</summary>
public static class StateElements
{
    private const uint VariableRanges = 8;

    /// <summary>General registers, RIP and RFLAGS.</summary>
    public static StateElement General { get; } = new GeneralElement();

    /// <summary>Segment and descriptor-table registers.</summary>
    public static StateElement Segments { get; } = new SegmentsElement();

    /// <summary>Control registers, XCR0, EFER and the APIC base.</summary>
    public static StateElement Control { get; } = new ControlElement();

    /// <summary>Debug registers.</summary>
    public static StateElement Debug { get; } = new DebugElement();

    /// <summary>Activity, shadows and events that wait. Present with <see cref="Capability.EventState"/>.</summary>
    public static StateElement Events { get; } = new EventsElement();

    /// <summary>x87, SSE and further vector state.</summary>
    public static StateElement Xsave { get; } = new XsaveElement();

    /// <summary>MSRs that system calls and 64-bit kernels live by.</summary>
    public static StateElement Msrs { get; } = new MsrElement(
        "msrs",
        "MSRs that have no register group.",
        true,
        null,
        [
            new("SysenterCs", 0x174, 0), new("SysenterEsp", 0x175, 0), new("SysenterEip", 0x176, 0), new("MiscEnable", 0x1A0, null),
            new("Pat", 0x277, 0x0007_0406_0007_0406), new("Star", 0xC000_0081, 0), new("Lstar", 0xC000_0082, 0), new("Cstar", 0xC000_0083, 0),
            new("SyscallMask", 0xC000_0084, 0), new("KernelGsBase", 0xC000_0102, 0), new("TscAux", 0xC000_0103, 0), new("Xss", 0xDA0, 0), new("TscAdjust", 0x3B, 0),
        ]);

    /// <summary>Memory type ranges. Present where the profile shows them.</summary>
    public static StateElement MemoryTypeRanges { get; } = new MsrElement(
        "mtrr",
        "Memory type range registers.",
        true,
        profile => profile?.Find(1, 0) is { } leaf && ((Leaf1Edx)leaf.Value.Edx & Leaf1Edx.MemoryTypeRanges) != 0,
        [
            new("MtrrDefaultType", 0x2FF, 0),
            new("MtrrFixed64K00000", 0x250, 0), new("MtrrFixed16K80000", 0x258, 0), new("MtrrFixed16KA0000", 0x259, 0),
            .. Enumerable.Range(0, 8).Select(i => new MsrDefinition($"MtrrFixed4K{0xC0000 + (0x8000 * i):X}", 0x268 + (uint)i, 0)),
            .. Enumerable.Range(0, (int)VariableRanges * 2).Select(i => new MsrDefinition($"Mtrr{(i % 2 == 0 ? "Base" : "Mask")}{i / 2}", 0x200 + (uint)i, 0)),
        ]);

    /// <summary>The time-stamp counter, which runs on by itself.</summary>
    public static StateElement Time { get; } = new MsrElement("time", "The time-stamp counter.", false, null, [new("Tsc", 0x10, 0)]);

    /// <summary>Registers of the local APIC. Present where the partition has one and with <see cref="Capability.EventState"/>.</summary>
    public static StateElement LocalApic { get; } = new LocalApicElement();

    /// <summary>Counts and deadline of the local APIC timer, which run on by themselves. Present as <see cref="LocalApic"/>.</summary>
    public static StateElement LocalApicTimer { get; } = new LocalApicTimerElement();

    /// <summary>All elements, in the order in which they are restored.</summary>
    public static IReadOnlyList<StateElement> All { get; } =
        Array.AsReadOnly([General, Segments, Control, Debug, Events, Xsave, Msrs, MemoryTypeRanges, Time, LocalApic, LocalApicTimer]);

    /// <summary>Finds an element by its id.</summary>
    public static StateElement? Find(string id) => All.FirstOrDefault(element => element.Id == id);
}
