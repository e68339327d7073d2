namespace Vmm.Kvm.Probes;

/// <summary>All probes. Their guests are written down as bytes, since these are shown when a probe does not hold.</summary>
internal static partial class ProbeCatalog
{
    private const uint Marker = 0x5AFE_0001;

    // mov eax, Marker; out 0xFD, eax: a handler that only says that it was reached.
    private static readonly byte[] s_reached = [0xB8, 0x01, 0x00, 0xFE, 0x5A, 0xE7, 0xFD];

    private static readonly TimeSpan s_hypercallDeadline = TimeSpan.FromMilliseconds(150);
    private static readonly Lazy<IReadOnlyList<LimitProbe>> s_all = new(
        () => [.. Paging, .. Interrupts, .. Transfers, .. Units, .. Instructions, .. Debugging, .. Cpuid, .. Hypercalls]);

    public static IReadOnlyList<LimitProbe> All => s_all.Value;

    /// <summary>32-bit paging without long mode, named like the capability it stands for.</summary>
    public static Quirk LegacyPaging => new(Capability.LegacyPaging.Name, "Paging works in long mode only.");

    private static LimitProbe[] Paging =>
    [
        // mov eax, [second way to the data]; out 0xFD, eax: the data page is zero but for what the guest stores first
        new()
        {
            Quirk = LegacyPaging, Name = "32-bit paging", Mode = ProbeMode.Paged32, Expected = ProbeEnd.Answer(Marker),
            Code = [0xC7, 0x03, 0x01, 0x00, 0xFE, 0x5A, 0xA1, 0x00, 0xC0, 0x40, 0x00, 0xE7, 0xFD],
        },
        new()
        {
            Quirk = LegacyPaging, Name = "PAE paging", Mode = ProbeMode.Pae, Expected = ProbeEnd.Answer(Marker),
            Code = [0xC7, 0x03, 0x01, 0x00, 0xFE, 0x5A, 0xA1, 0x00, 0xC0, 0x20, 0x00, 0xE7, 0xFD],
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
