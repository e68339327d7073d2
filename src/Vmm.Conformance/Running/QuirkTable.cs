namespace Vmm.Conformance;

/// <summary>What each quirk takes away: the cases whose guests need just that. Cases of one's own say so by <see cref="ConformanceCase.AbsentWith"/>.</summary>
internal static class QuirkTable
{
    private static readonly (Quirk Quirk, string[] Cases)[] s_rows =
    [
        (Quirk.CpuidUnmasked, ["extensions.swapped_moves"]),
        (Quirk.DataBreakpoints, ["debug.breakpoint_registers"]),
        (Quirk.EmulatedProcessor, ["atomics.page_crossing"]),
        (Quirk.HypercallsAnswered, ["hypercall.undefined"]),
        (
            Quirk.LateInterrupts,
            [
                "apic.level_eoi", "apic.self_ipi", "apic.x2apic_self_ipi", "interrupts.deferred_until_sti", "interrupts.masked_halt",
                "interrupts.mov_ss_shadow", "interrupts.nmi_blocked", "interrupts.place_occupied", "interrupts.popf",
                "interrupts.source_asked_when_deliverable", "ipi.level_eoi_each",
            ]),
        (Quirk.LegacyUserCode, ["privilege.call_gate"]),
        (Quirk.LenientMsrs, ["apic.x2apic_faults", "msr.bad_values_fault"]),
        (Quirk.LowestPriorityByTurns, ["ipi.lowest_priority"]),
        (Quirk.RealModeShutdown, ["exceptions.shutdown_reset"]),
        (Quirk.SystemCalls, ["privilege.syscall"]),
        (Quirk.UserInterrupts, ["exceptions.gate_level"]),
        (Quirk.UserSeesHost, ["port.user_iopl", "privilege.flags_by_level", "privilege.iret_to_user"]),
        (Quirk.WideFrames, ["interrupts.wake_halt_16"]),
    ];

    private static readonly Dictionary<string, Quirk[]> s_byCase = s_rows
        .SelectMany(row => row.Cases.Select(id => (Id: id, row.Quirk)))
        .GroupBy(pair => pair.Id, pair => pair.Quirk, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);

    /// <summary>Every case that the table names.</summary>
    public static IReadOnlyCollection<string> Cases => s_byCase.Keys;

    public static IReadOnlyList<Quirk> Of(string id) => s_byCase.GetValueOrDefault(id, []);
}
