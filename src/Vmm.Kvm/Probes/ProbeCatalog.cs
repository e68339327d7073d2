namespace Vmm.Kvm.Probes;

/// <summary>All probes. Their guests are written down as bytes, since these are shown when a probe does not hold.</summary>
internal static partial class ProbeCatalog
{
    private const uint Marker = 0x5AFE_0001;

    // mov eax, Marker; out 0xFD, eax: a handler that only says that it was reached.
    private static readonly byte[] s_reached = [0xB8, 0x01, 0x00, 0xFE, 0x5A, 0xE7, 0xFD];

    private static readonly TimeSpan s_hypercallDeadline = TimeSpan.FromMilliseconds(150);
    private static readonly Lazy<IReadOnlyList<LimitProbe>> s_all = new(
        () =>
        [
            .. Paging, .. Interrupts, .. Transfers, .. Units, .. Instructions, .. Debugging, .. HostDebugging, .. Events, .. Registers, .. Cpuid, .. Hypercalls,
        ]);

    public static IReadOnlyList<LimitProbe> All => s_all.Value;

    /// <summary>32-bit paging without long mode, named like the capability it stands for.</summary>
    public static Quirk LegacyPaging => new(Capability.LegacyPaging.Name, "Paging works in long mode only.");

    /// <summary>Stores over the end of a page, named like the capability it stands for.</summary>
    public static Quirk PreciseSplitAccess =>
        new(Capability.PreciseSplitAccess.Name, "A store that crosses into a page that faults has stored its first part already.");

    /// <summary>Page walks that leave memory, named like the capability they stand for.</summary>
    public static Quirk WalkViolations => new(Capability.WalkViolations.Name, "A page walk that leaves memory does not exit as a violation.");

    private static LimitProbe[] Paging =>
    [
        // mov eax, [1 GiB]; out 0xFD, eax
        new()
        {
            Quirk = WalkViolations, Name = "page walk outside of memory, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Violation,
            Code = [0x8B, 0x04, 0x25, 0x00, 0x00, 0x00, 0x40, 0xE7, 0xFD],
        },
        // mov eax, [second way to the data]; out 0xFD, eax: the data page is zero but for what the guest stores first
        new()
        {
            Quirk = LegacyPaging, Name = "32-bit paging", Mode = ProbeMode.Paged32, Expected = ProbeEnd.Answer(Marker),
            Code = [0xC7, 0x03, 0x01, 0x00, 0xFE, 0x5A, 0xA1, 0x00, 0xC0, 0x40, 0x00, 0xE7, 0xFD],
        },
        new()
        {
            // mov rax, -1; mov [4 bytes before the end of the last page], rax; out 0xFD, eax -- handler: mov eax, [those bytes]; out 0xFD,
            // eax
            Quirk = PreciseSplitAccess, Name = "store across the end of the last page, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Answer(0),
            Code = [0x48, 0xC7, 0xC0, 0xFF, 0xFF, 0xFF, 0xFF, 0x48, 0x89, 0x04, 0x25, 0xFC, 0xFF, 0x5F, 0x00, 0xE7, 0xFD],
            Handler = [0x8B, 0x04, 0x25, 0xFC, 0xCF, 0x00, 0x00, 0xE7, 0xFD], Vectors = [14],
        },
        new()
        {
            Quirk = LegacyPaging, Name = "PAE paging", Mode = ProbeMode.Pae, Expected = ProbeEnd.Answer(Marker),
            Code = [0xC7, 0x03, 0x01, 0x00, 0xFE, 0x5A, 0xA1, 0x00, 0xC0, 0x20, 0x00, 0xE7, 0xFD],
        },
    ];

    private static LimitProbe[] Registers =>
    [
        // mov ecx, PAT; mov eax, 0x02020202; mov edx, eax; wrmsr; out 0xFD, eax
        new()
        {
            Quirk = Quirk.LenientMsrs, Name = "WRMSR of PAT with reserved types, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Exception(13),
            Code = [0xB9, 0x77, 0x02, 0x00, 0x00, 0xB8, 0x02, 0x02, 0x02, 0x02, 0x89, 0xC2, 0x0F, 0x30, 0xE7, 0xFD],
        },
        // mov ecx, the EOI register; mov eax, 1; xor edx, edx; wrmsr; out 0xFD, eax
        new()
        {
            Quirk = Quirk.LenientMsrs, Name = "WRMSR of 1 to the EOI register of the x2APIC", Mode = ProbeMode.Long, Expected = ProbeEnd.Exception(13),
            Code = [0xB9, 0x0B, 0x08, 0x00, 0x00, 0xB8, 0x01, 0x00, 0x00, 0x00, 0x31, 0xD2, 0x0F, 0x30, 0xE7, 0xFD], LocalApic = LocalApicMode.X2Apic,
        },
    ];

    private static LimitProbe[] Hypercalls =>
    [
        new()
        {
            Quirk = Quirk.HypercallsAnswered, Name = "VMCALL, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Exception(6),
            Deadline = s_hypercallDeadline, Code = [0x0F, 0x01, 0xC1, 0xE7, 0xFD],
        },
        new()
        {
            Quirk = Quirk.HypercallsAnswered, Name = "VMMCALL, 64-bit mode", Mode = ProbeMode.Long, Expected = ProbeEnd.Exception(6),
            Deadline = s_hypercallDeadline, Code = [0x0F, 0x01, 0xD9, 0xE7, 0xFD],
        },
    ];
}
