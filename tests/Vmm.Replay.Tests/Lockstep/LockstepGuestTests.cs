using Vmm.Conformance;
using Xunit.Abstractions;

namespace Vmm.Replay.Tests;

/// <summary>The guests of the conformance kit on two backends at once.</summary>
public sealed class LockstepGuestTests(ITestOutputHelper output)
{
    // Families of cases whose guests run code of their own and leave to be compared.
    private static readonly string[] s_families =
        ["registers.", "port.", "mmio.", "completion.", "slat.", "cpuid.", "msr.", "exceptions.", "modes.", "privilege.", "paging.", "context.", "instructions.", "float.", "extensions.", "debug.", "code."];

    // Not in lock-step with anything: what the client does there has no place that two backends would share.
    private static readonly Dictionary<string, string> s_unshared = new()
    {
        ["slat.protect_while_running"] = "rights change while the guest runs, at no counted place",
        ["slat.unmap_code_while_running"] = "memory goes away while the guest runs, at no counted place",
        ["slat.unmap_while_running"] = "memory goes away while the guest runs, at no counted place",
        ["slat.doorbell_while_running"] = "the guest is stopped at no counted place",
        ["code.host_while_running"] = "code changes while the guest runs, at no counted place",
        ["slat.execute_only"] = "about rights that the two backends do not share",
        ["port.string_page_edge"] = "passes, but in seconds: 2,500 exits",
        ["msr.tsc_advances"] = "passes, but in seconds: the loop waits for time",
    };

    // What KVM may do otherwise: each with the difference as the comparison names it. Where a host's KVM has it right, these are merely not
    // run.
    private static readonly Dictionary<string, string> s_notOnKvm = new()
    {
        ["port.rep_insw"] = "string-batch: KVM reads several elements at one exit",
        ["port.rep_insd_down"] = "string-batch: KVM reads several elements at one exit",
        ["port.rep_outsb"] = "string-batch: as many elements at an exit as the kernel likes",
        ["port.string_fault_in_middle"] = "string-batch: KVM reads several elements at one exit",
        ["completion.rep_in_unfinished"] = "string-batch: KVM reads several elements at one exit",
        ["mmio.rep_movs_from"] = "string-batch: RF and elements of an unfinished string instruction",
        ["slat.fetch_unmapped"] = "fetch-violation: found by the assist, perhaps after the kernel's own attempt",
        ["slat.page_walk_hole"] = "walk-violation: the kernel reads ones where there is no memory",
        ["msr.bad_values_fault"] = "msr-values: the kernel takes values that the emulator refuses",
        ["msr.user_faults"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["exceptions.undefined"] = "sixteen-bit-gates: the kernel pushes 32-bit frames through 16-bit gates",
        ["exceptions.double_fault"] = "sixteen-bit-gates: the kernel pushes 32-bit frames through 16-bit gates",
        ["exceptions.triple_fault"] = "real-mode-table-limit: the kernel ignores the limit of the interrupt table in real mode",
        ["exceptions.shutdown_reset"] = "real-mode-table-limit: the kernel ignores the limit of the interrupt table in real mode",
        ["exceptions.alignment"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["exceptions.simd"] = "hidden-instructions: state beyond the profile",
        ["exceptions.level_switch"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["exceptions.gate_level"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["exceptions.selector_codes"] = "resume-flag: RF in the frame that the fault pushes",
        ["privilege.syscall"] = "syscall: the kernel enters at level 3 where it runs that natively",
        ["privilege.swapgs"] = "accessed-bits: upper levels of page tables, walked by the host at level 3",
        ["privilege.iret_to_user"] = "accessed-bits: upper levels of page tables, walked by the host at level 3",
        ["privilege.call_gate"] = "call-gates: the kernel does not carry them out",
        ["privilege.privileged"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["privilege.flags_by_level"] = "user-iopl: IOPL is lost where PUSHF stores it",
        ["port.user_with_iopl"] = "accessed-bits: upper levels of page tables, walked by the host at level 3",
        ["paging.fault_codes_user"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["paging.upper_levels"] = "user-iopl: IOPL is lost in the frame that the fault pushes",
        ["paging.split_fault"] = "resume-flag: RF in the frame that the fault pushes",
        ["instructions.fxsave"] = "x87-pointers: AMD's processors store none without an exception",
        ["debug.breakpoint_registers"] = "debug-registers: the kernel does not honour them",
    };

    private static readonly Dictionary<string, string> s_none = [];

    // The Windows platform shows some state in its own way.
    private static readonly Dictionary<string, string> s_notOnSimulator = new()
    {
        ["msr.exit"] = "begun-delivery: a fault that the client asks for is already delivered when the platform's processor is looked at",
        ["exceptions.triple_fault"] = "shutdown-activity: the platform has no such state of a processor",
        ["exceptions.shutdown_reset"] = "shutdown-activity: the platform has no such state of a processor",
    };

    [Fact]
    public void Emulator_and_itself_with_nested_page_tables_do_the_same() => Compare(SecondBackends.WithNestedPageTables(), s_none, 120);

    [Fact]
    public void Emulator_and_the_simulated_platform_do_the_same() => Compare(SecondBackends.WithSimulator(), s_notOnSimulator, 100);

    [SkippableFact]
    public void Emulator_and_kvm_do_the_same() => Compare(SecondBackends.WithKvm(), s_notOnKvm, 60);

    private void Compare(LockstepHypervisor lockstep, IReadOnlyDictionary<string, string> excluded, int least)
    {
        ConformanceOptions options = new() { Timeout = TimeSpan.FromSeconds(20), Grace = TimeSpan.FromSeconds(2) };
        List<string> wrong = [];
        SortedDictionary<string, ulong> tolerated = new(StringComparer.Ordinal);
        int compared = 0;
        foreach (ConformanceCase guest in ConformanceCatalog.All.Where(it => Array.Exists(s_families, it.Id.StartsWith)))
        {
            if (s_unshared.TryGetValue(guest.Id, out string? reason) || excluded.TryGetValue(guest.Id, out reason))
            {
                output.WriteLine($"not compared: {guest.Id}: {reason}");
                continue;
            }
            LockstepPartition? before = lockstep.Partition;
            CaseResult result = ConformanceRunner.RunCase(lockstep, guest, null, options);
            LockstepPartition? partition = ReferenceEquals(lockstep.Partition, before) ? null : lockstep.Partition;
            if (result.Outcome == CaseOutcome.Failed || partition?.Divergence is not null)
                wrong.Add($"{guest.Id}: {result.Message} {partition?.Divergence}");
            if (partition is not { Comparisons: > 0 })
                continue;
            compared++;
            foreach ((string name, ulong count) in partition.Tolerated)
                tolerated[name] = tolerated.GetValueOrDefault(name) + count;
        }
        output.WriteLine($"{compared} guests compared on {lockstep.First.Name} and {lockstep.Second.Name}");
        foreach ((string name, ulong count) in tolerated)
            output.WriteLine($"known difference: {name}, {count} times");
        string.Join(Environment.NewLine, wrong).Should().BeEmpty();
        compared.Should().BeGreaterThanOrEqualTo(least);
    }
}
