namespace Vmm.Conformance;

/// <summary>
/// What each quirk takes away: the cases whose guests need just that. Cases of one's own say so by
/// <see cref="ConformanceCase.AbsentWith"/>.
/// </summary>
internal static class QuirkTable
{
    private static readonly (Quirk Quirk, string[] Cases)[] s_rows =
    [
        (Quirk.CpuidUnmasked, ["extensions.swapped_moves"]),
        (Quirk.DataBreakpoints, ["debug.breakpoint_registers"]),
        (Quirk.EmulatedProcessor, ["atomics.fenced_lock", "atomics.page_crossing"]),
        (Quirk.HypercallsAnswered, ["hypercall.undefined"]),
        (
            Quirk.LateInterrupts,
            [
                "apic.level_eoi", "apic.self_ipi", "apic.x2apic_self_ipi", "interrupts.deferred_until_sti", "interrupts.masked_halt",
                "interrupts.mov_ss_shadow", "interrupts.nmi_blocked", "interrupts.place_occupied", "interrupts.popf",
                "interrupts.source_asked_when_deliverable", "ipi.level_eoi_each",
            ]),
        (Quirk.LegacyUserCode, ["privilege.call_gate"]),
        (
            Quirk.LongModeInterrupts,
            [
                "exceptions.breakpoint", "exceptions.interrupt_stack", "exceptions.resume_flag", "exceptions.software_interrupt",
                "exceptions.stack_alignment",
            ]),
        (
            Quirk.ProtectedModeInterrupts,
            [
                "apic.halt_cancel", "apic.priority_order", "apic.request", "apic.request_nmi", "apic.timer_after_wake", "apic.timer_deadline",
                "apic.timer_one_shot", "apic.timer_periodic", "exceptions.overflow", "interrupts.wake_halt", "ipi.all", "ipi.broadcast", "ipi.fixed",
                "ipi.logical_cluster", "ipi.logical_flat", "ipi.nmi", "ipi.others", "ipi.ping_pong", "ipi.requests", "ipi.self_with_others_running", "ipi.x2apic_broadcast",
                "ipi.x2apic_logical", "ipi.x2apic_physical", "ipi.x2apic_self", "processors.init_keeps", "sharing.code_rewritten_ipi",
            ]),
        (
            Quirk.SupervisorInstructions,
            [
                "atomics.cmpxchg16b", "atomics.cmpxchg16b_and_store", "extensions.bit_fields", "instructions.compare_exchange",
                "paging.supervisor_prevention", "privilege.lsl_lar",
            ]),
        (
            Quirk.SupervisorVectors,
            [
                "exceptions.simd", "extensions.aes", "extensions.avx_enabling", "extensions.avx_state", "extensions.carryless", "extensions.fused",
                "extensions.half_floats", "extensions.upper_halves", "extensions.wide_integers", "instructions.sse_arithmetic",
                "instructions.sse_integer", "instructions.xsave", "state.guest_goes_on_elsewhere",
            ]),
        (
            Quirk.SupervisorX87,
            [
                "exceptions.device_not_available", "exceptions.x87", "instructions.fxsave", "instructions.x87_arithmetic", "mmio.ten_bytes",
                "xsave.guest_sees", "xsave.survives_exits",
            ]),
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
