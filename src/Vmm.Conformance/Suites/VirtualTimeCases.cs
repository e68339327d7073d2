using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Time counted in instructions.</summary>
internal static class VirtualTimeCases
{
    // The counter's rate is the profile's; these cases need to know it in nanoseconds.
    private const ulong Nanosecond = 1_000_000_000;

    public static ConformanceCase[] All =>
    [
        Case("time.virtual_counts_instructions", "Each instruction takes a nanosecond, on the counter too", CountsInstructions),
        Case("time.virtual_limit", "A run ends when the time's limit comes, and goes on after it", EndsAtLimit),
        Case("time.virtual_halt", "HLT exits; the time moves to the APIC timer's deadline, whose interrupt wakes the guest", HaltAdvances, Capability.LocalApic),
        Case("time.virtual_turns", "Processors that run in turn share one time", TurnsShareTime, Capability.LocalApic, Capability.MultipleProcessors),
        Case("time.virtual_repeats", "Two runs of one guest, faults and device accesses included, are the same to the instruction", Repeats),
        new("time.host_by_default", "Without being asked for there is no counted time", "contract: PartitionOptions.VirtualTime", HostByDefault),
    ];

    private static ConformanceCase Case(string id, string title, Action<ConformanceContext> run, params Capability[] others) =>
        new(id, title, "contract 5: deterministic mode", run) { Requires = [Capability.VirtualTime, .. others] };

    private static PartitionOptions Counted(PartitionOptions options) => options with { VirtualTime = true };

    private static IVirtualTime TimeOf(GuestMachine m)
    {
        IVirtualTime? time = m.Partition.VirtualTime;
        Verify.True(time is not null, "The partition has counted time");
        return time;
    }

    private static void CountsInstructions(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.rdtsc();
                a.mov(esi, eax);
                for (int i = 0; i < 20; i++)
                    a.nop();
                a.rdtsc();
                a.sub(eax, esi);
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            configure: Counted);
        IVirtualTime time = TimeOf(m);
        ulong before = time.Nanoseconds;
        m.RunToMark();
        Verify.Equal(time.Nanoseconds - before, 25, "Time of 25 instructions");
        CpuProfile? profile = m.Partition.Options.CpuProfile;
        if ((profile?.TimeStampCounterFrequency ?? Nanosecond) == Nanosecond)
            Verify.Equal(m[Register.Rax], 22, "Counter between two RDTSC with 21 instructions between them");
    }

    private static void EndsAtLimit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                Iced.Intel.Label loop = a.CreateLabel();
                a.Label(ref loop);
                a.inc(rbx);
                a.jmp(loop);
            },
            configure: Counted);
        IVirtualTime time = TimeOf(m);
        for (ulong limit = 1000; limit <= 101_000; limit += 10_000)
        {
            time.Limit = time.Nanoseconds + limit;
            ulong end = time.Limit;
            Verify.Equal(m.Processor.Run().Kind, ExitKind.Cancelled, "The exit at the limit");
            Verify.True(time.Nanoseconds >= end && time.Nanoseconds < end + 100, $"The time is at the limit: {end} and {time.Nanoseconds}");
            Verify.Equal(m.Processor.Run().Kind, ExitKind.Cancelled, "The exit past the limit");
            Verify.True(time.Nanoseconds < end + 100, "Nothing runs past the limit");
        }
        Verify.True(m[Register.Rbx] > 200_000, "The guest has run");
    }

    private static void HaltAdvances(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Protected32,
            a =>
            {
                foreach ((uint register, uint value) in ((uint, uint)[])[(0xF0, 0x1FF), (0x3E0, 0xB), (0x320, 0x41), (0x380, 5_000_000)])
                    a.mov(__dword_ptr[0xFEE0_0000 + register], (int)value);
                a.sti();
                a.hlt();
            },
            configure: o => Counted(o) with { LocalApic = LocalApicMode.XApic });
        IVirtualTime time = TimeOf(m);
        m.RunToHalt();
        ulong halted = time.Nanoseconds;
        Verify.True(halted < 100, "The guest has hardly run");
        m.RunToHalt();
        Verify.Equal(time.Nanoseconds, halted, "Time while halted");
        Verify.Equal(time.Advance(1_000_000), 1_000_000, "Time advanced to a limit before the deadline");
        m.RunToHalt();
        ulong deadline = time.Advance(ulong.MaxValue);
        Verify.True(deadline is >= 5_000_000 and <= 5_000_100, $"Time of the deadline: {deadline}");
        m.RunToException(0x41);
        Verify.Equal(time.Advance(ulong.MaxValue), ulong.MaxValue, "Nothing is armed any more");
    }

    private static void TurnsShareTime(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine(o => Counted(o) with { ProcessorCount = 2, LocalApic = LocalApicMode.XApic });
        m.Enter(GuestMode.Long, a =>
        {
            for (int i = 0; i < 10; i++)
                a.nop();
            a.hlt();
        });
        IVirtualTime time = TimeOf(m);
        Verify.Equal(m.Partition.Processors[1].Run().Kind, ExitKind.Halt, "A processor that waits to be started");
        Verify.Equal(time.Nanoseconds, 0, "Time while nothing ran");
        m.RunToHalt();
        Verify.Equal(time.Nanoseconds, 11, "Time after the first processor's turn");
        Verify.Equal(m.Partition.Processors[0].ReadMsr(0x10), m.Partition.Processors[1].ReadMsr(0x10), "Counters of both");
    }

    private static void Repeats(ConformanceContext c)
    {
        (ulong Time, ulong Rax, ulong Rbx) first = RunOnce(c);
        for (int run = 0; run < 2; run++)
            Verify.Equal(RunOnce(c), first, "Time, RAX and RBX of a further run");
    }

    private static (ulong Time, ulong Rax, ulong Rbx) RunOnce(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                Iced.Intel.Label loop = a.CreateLabel();
                a.mov(ecx, 3000);
                a.xor(ebx, ebx);
                a.Label(ref loop);
                a.rdtsc();
                a.imul(rbx, rbx, 31);
                a.add(rbx, rax);
                a.mov(dl, __byte_ptr[(int)GuestLayout.Mmio]);
                a.dec(ecx);
                a.jnz(loop);
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            configure: Counted);
        IVirtualTime time = TimeOf(m);
        while (true)
        {
            time.Limit = time.Nanoseconds + 777;
            VpExit exit = m.Processor.Run();
            if (exit.Kind == ExitKind.Mmio)
                m.Processor.CompleteRead(0x5A);
            else if (exit.Kind == ExitKind.PortIo)
                break;
            else
                Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
        }
        m.Finish();
        return (time.Nanoseconds, m[Register.Rax], m[Register.Rbx]);
    }

    private static void HostByDefault(ConformanceContext c) =>
        Verify.True(c.CreatePartition().VirtualTime is null, "Partition time is the host's");
}
