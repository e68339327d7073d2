using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Registers go in and out unchanged, and are those the guest uses.</summary>
internal static class RegisterCases
{
    private static readonly Register[] s_general =
    [
        Register.Rax, Register.Rcx, Register.Rdx, Register.Rbx, Register.Rsp, Register.Rbp, Register.Rsi, Register.Rdi,
        Register.R8, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13, Register.R14, Register.R15,
    ];

    public static ConformanceCase[] All =>
    [
        new("registers.general_round_trip", "Every general register keeps every value, one by one and in batches",
            "contract 4: batch get and set", GeneralRoundTrip),
        new("registers.guest_sees_general", "A guest sees the general registers that were set, and its own come back",
            "contract 4: register access", GuestSeesGeneral),
        new("registers.flags", "Flags reach the guest and come back; bit 1 is always set", "SDM Vol. 1 3.4.3", Flags),
        new("registers.groups_leave_others", "Writing one group leaves the others alone", "contract 4: partial by flags",
            GroupsLeaveOthers),
        new("registers.segments_round_trip", "Segment and table registers keep selector, base, limit and attributes", "SDM Vol. 3A 3.4.3",
            SegmentsRoundTrip),
        new("registers.segment_bases_used", "Segment bases that were set are used by the guest's loads", "SDM Vol. 3A 3.4.3",
            SegmentBasesUsed),
        new("registers.control_to_guest", "CR0, CR3, CR4 and CR8 that were set are read by the guest", "SDM Vol. 3A 2.5", ControlToGuest),
        new("registers.control_from_guest", "CR0, CR3, CR4 and CR8 set by the guest are read back", "SDM Vol. 3A 2.5", ControlFromGuest),
        new("registers.impossible_cr0_refused", "CR0 with paging but without protection is refused, naming CR0, and changes nothing",
            "SDM Vol. 3A 2.5; contract 7", ImpossibleCr0Refused),
        new("registers.reserved_efer_refused", "EFER with a reserved bit is refused and changes nothing", "SDM Vol. 3A 2.2.1; contract 7",
            ReservedEferRefused),
        new("registers.debug", "Debug registers go to the guest and back", "SDM Vol. 3B 17.2", DebugRegistersGoBothWays),
        new("registers.msr_round_trip", "System-call and base MSRs keep values, and agree with segment bases",
            "SDM Vol. 4 2.1; SDM Vol. 3A 3.4.4", MsrRoundTrip),
        new("registers.msr_errors", "Unknown MSRs and values no WRMSR could write are refused", "contract 7; SDM Vol. 2 WRMSR", MsrErrors),
        new("registers.bad_arguments", "Unknown registers, unknown groups and short buffers are refused", "contract 7: ArgumentException",
            BadArguments),
        new("registers.events_round_trip", "Activity, shadow and NMI blocking keep values", "contract 6: state elements", EventsRoundTrip)
        {
            Requires = [Capability.EventState],
        },
    ];

    private static void GeneralRoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        Random random = new(1);
        ulong[] set = new ulong[s_general.Length];
        ulong[] got = new ulong[s_general.Length];
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < set.Length; i++)
                set[i] = round == 0 ? ulong.MaxValue : (ulong)random.NextInt64() << (round % 3);
            m.Processor.SetRegisters(s_general, set);
            m.Processor.GetRegisters(s_general, got);
            for (int i = 0; i < set.Length; i++)
            {
                Verify.Equal(got[i], set[i], $"{s_general[i]} in a batch");
                Verify.Equal(m[s_general[i]], set[i], $"{s_general[i]} alone");
            }
        }
        m[Register.Rip] = 0xFFFF_8000_0000_1234;
        Verify.Equal(m[Register.Rip], 0xFFFF_8000_0000_1234, "RIP");
    }

    private static void GuestSeesGeneral(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.xchg(rax, r15);
            a.xchg(rcx, r14);
            a.xchg(rdx, r13);
            a.xchg(rbx, r12);
            a.xchg(rbp, r11);
            a.xchg(rsi, r10);
            a.xchg(rdi, r9);
            a.not(r8);
            a.hlt();
        });
        (Register Low, Register High)[] pairs =
        [
            (Register.Rax, Register.R15), (Register.Rcx, Register.R14), (Register.Rdx, Register.R13), (Register.Rbx, Register.R12),
            (Register.Rbp, Register.R11), (Register.Rsi, Register.R10), (Register.Rdi, Register.R9),
        ];
        ulong value = 0x0123_4567_89AB_CDEF;
        foreach ((Register low, Register high) in pairs)
        {
            m[low] = value++;
            m[high] = ~value;
        }
        m[Register.R8] = 0xFF00_FF00_0000_0001;
        ulong[] before = [.. pairs.SelectMany(pair => (ulong[])[m[pair.Low], m[pair.High]])];
        m.RunToHalt();
        for (int i = 0; i < pairs.Length; i++)
        {
            Verify.Equal(m[pairs[i].Low], before[(2 * i) + 1], pairs[i].Low.ToString());
            Verify.Equal(m[pairs[i].High], before[2 * i], pairs[i].High.ToString());
        }
        Verify.Equal(m[Register.R8], 0x00FF_00FF_FFFF_FFFE, "R8");
    }

    private static void Flags(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.pushfq();
            a.pop(rax);
            a.stc();
            a.std();
            a.hlt();
        });
        m[Register.Rflags] = 0x8C4; // OF, SF, ZF, PF; bit 1 left out
        Verify.Equal(m[Register.Rflags], 0x8C6UL, "RFLAGS before the run");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x8C6), (Register.Rflags, 0xCC7));
    }

    private static void GroupsLeaveOthers(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        m[Register.Rbx] = 7;
        m.Processor.GetState(RegisterGroups.Registers, out ProcessorState before);
        ProcessorState other = default;
        other.Debug = before.Debug with { Dr1 = 0x1234 };
        m.Processor.SetState(RegisterGroups.Debug, other);
        m.Processor.GetState(RegisterGroups.Registers, out ProcessorState after);
        Verify.Equal(after.General, before.General, "General registers");
        Verify.Equal(after.Segments, before.Segments, "Segments");
        Verify.Equal(after.Control, before.Control, "Control registers");
        Verify.Equal(after.Debug.Dr1, 0x1234UL, "DR1");
        m.Processor.SetState(RegisterGroups.None, default);
        m.Processor.GetState(RegisterGroups.Registers, out ProcessorState same);
        Verify.Equal(same, after, "Everything after writing no group");
    }

    private static void SegmentsRoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.hlt());
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState s);
        s.Segments.Ds = new SegmentDescriptor(0x6B, 0x1234_5000, 0xF_FFFF, 0x40F3);
        s.Segments.Fs = new SegmentDescriptor(0x10, 0xFEDC_B000, uint.MaxValue, 0xC093);
        s.Segments.Gs = new SegmentDescriptor(0, 0, 0, SegmentDescriptor.Unusable);
        s.Segments.Gdtr = new TableDescriptor(0x1_2340, 0x77);
        s.Segments.Idtr = new TableDescriptor(0x5_6780, 0x1FF);
        m.Processor.SetState(RegisterGroups.Segments, s);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState got);
        Verify.Equal(got.Segments.Ds, s.Segments.Ds, "DS");
        Verify.Equal(got.Segments.Fs, s.Segments.Fs, "FS");
        Verify.Equal(got.Segments.Cs, s.Segments.Cs, "CS");
        Verify.Equal(got.Segments.Ss, s.Segments.Ss, "SS");
        Verify.Equal(got.Segments.Tr, s.Segments.Tr, "TR");
        Verify.True((got.Segments.Gs.Attributes & SegmentDescriptor.Unusable) != 0, "GS is unusable");
        Verify.Equal(got.Segments.Gdtr, s.Segments.Gdtr, "GDTR");
        Verify.Equal(got.Segments.Idtr, s.Segments.Idtr, "IDTR");
    }

    private static void SegmentBasesUsed(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(al, __byte_ptr.ds[0]);
            a.mov(ah, __byte_ptr.es[0]);
            a.mov(bl, __byte_ptr.fs[0]);
            a.mov(bh, __byte_ptr.gs[0]);
            a.pop(cx);
            a.hlt();
        });
        for (uint i = 0; i < 5; i++)
            m.Poke(0x4_0000 + (i * 0x1_0000), 0x11 * (i + 1), 1);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState s);
        s.Segments.Ds = SegmentDescriptor.RealModeData(0x4000);
        s.Segments.Es = SegmentDescriptor.RealModeData(0x5000);
        s.Segments.Fs = SegmentDescriptor.RealModeData(0x6000);
        s.Segments.Gs = SegmentDescriptor.RealModeData(0x7000);
        s.Segments.Ss = SegmentDescriptor.RealModeData(0x8000);
        m.Processor.SetState(RegisterGroups.Segments, s);
        m[Register.Rsp] = 0;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x2211), (Register.Rbx, 0x4433), (Register.Rcx, 0x55), (Register.Rsp, 2));
    }

    private static void ControlToGuest(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, cr0);
            a.mov(rbx, cr3);
            a.mov(rcx, cr4);
            a.mov(rdx, cr8);
            a.mov(rsi, cr2);
            a.hlt();
        });
        m[Register.Cr8] = 5;
        m[Register.Cr2] = 0xFFFF_8000_1234_5678;
        ulong oldCr0 = m[Register.Cr0] | 8;
        ulong oldCr4 = m[Register.Cr4] | 0x80;
        m[Register.Cr0] = oldCr0;
        m[Register.Cr4] = oldCr4;
        m.RunToHalt();
        m.VerifyRegisters(
            (Register.Rax, oldCr0), (Register.Rbx, GuestLayout.LongTables), (Register.Rcx, oldCr4), (Register.Rdx, 5),
                (Register.Rsi, 0xFFFF_8000_1234_5678));
    }

    private static void ControlFromGuest(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, cr0);
            a.or(eax, 8);
            a.mov(cr0, rax);
            a.mov(rax, cr4);
            a.or(eax, 0x84);
            a.mov(cr4, rax);
            a.mov(eax, 9);
            a.mov(cr8, rax);
            a.mov(rax, cr3);
            a.or(eax, 0x18);
            a.mov(cr3, rax);
            a.mov(rax, 0x7FFF_0000_1111UL);
            a.mov(cr2, rax);
            a.hlt();
        });
        ulong oldCr0 = m[Register.Cr0];
        ulong oldCr4 = m[Register.Cr4];
        m.RunToHalt();
        m.VerifyRegisters(
            (Register.Cr0, oldCr0 | 8), (Register.Cr4, oldCr4 | 0x84), (Register.Cr8, 9), (Register.Cr3, GuestLayout.LongTables | 0x18),
                (Register.Cr2, 0x7FFF_0000_1111));
    }

    private static void ImpossibleCr0Refused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.hlt());
        ulong before = m[Register.Cr0];
        Verify.Throws<ArgumentException>(() => m[Register.Cr0] = 0x8000_0010, "CR0 with PG but without PE", "CR0");
        Verify.Equal(m[Register.Cr0], before, "CR0 after the refusal");
        m.Processor.GetState(RegisterGroups.Control, out ProcessorState state);
        state.Control.Cr0 = 0x8000_0010;
        Verify.Throws<ArgumentException>(() => m.Processor.SetState(RegisterGroups.Control, state),
            "CR0 with PG but without PE, as a group", "CR0");
        m.RunToHalt();
    }

    private static void ReservedEferRefused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        ulong before = m[Register.Efer];
        Verify.Throws<ArgumentException>(() => m[Register.Efer] = before | (1UL << 40), "EFER with bit 40", "EFER");
        Verify.Equal(m[Register.Efer], before, "EFER after the refusal");
        m.RunToHalt();
    }

    private static void DebugRegistersGoBothWays(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, dr0);
            a.mov(rbx, dr3);
            a.mov(rcx, 0x7FFF_1234_5678UL);
            a.mov(dr1, rcx);
            a.mov(dr2, rax);
            a.mov(rdx, dr7);
            a.hlt();
        });
        m[Register.Dr0] = 0xFFFF_8888_0000_1000;
        m[Register.Dr3] = 0x1234;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xFFFF_8888_0000_1000), (Register.Rbx, 0x1234), (Register.Rdx, 0x400));
        m.VerifyRegisters((Register.Dr1, 0x7FFF_1234_5678), (Register.Dr2, 0xFFFF_8888_0000_1000), (Register.Dr7, 0x400));
    }

    private static void MsrRoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(ecx, 0xC000_0102);
            a.rdmsr();
            a.hlt();
        });
        (uint Msr, ulong Value)[] values =
        [
            (0xC000_0081, 0x0023_0008_0000_0000), (0xC000_0082, 0xFFFF_8000_0000_1000), (0xC000_0083, 0xFFFF_8000_0000_2000),
                (0xC000_0084, 0x4_7700),
            (0xC000_0100, 0xFFFF_8000_1111_0000), (0xC000_0101, 0x7FFF_2222_0000), (0xC000_0102, 0xFFFF_9000_3333_0000),
                (0x277, 0x0007_0406_0007_0406),
            (0x174, 0x10), (0x175, 0xFFFF_8000_0000_3000), (0x176, 0xFFFF_8000_0000_4000),
        ];
        foreach ((uint msr, ulong value) in values)
            m.Processor.WriteMsr(msr, value);
        foreach ((uint msr, ulong value) in values)
            Verify.Equal(m.Processor.ReadMsr(msr), value, $"MSR 0x{msr:X}");
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        Verify.Equal(state.Segments.Fs.Base, 0xFFFF_8000_1111_0000, "FS base");
        Verify.Equal(state.Segments.Gs.Base, 0x7FFF_2222_0000UL, "GS base");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x3333_0000), (Register.Rdx, 0xFFFF_9000));
    }

    private static void MsrErrors(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        Verify.Throws<ArgumentOutOfRangeException>(() => m.Processor.ReadMsr(0xDEAD_0001), "Reading an MSR that does not exist",
            "DEAD0001");
        Verify.Throws<ArgumentOutOfRangeException>(() => m.Processor.WriteMsr(0xDEAD_0001, 0), "Writing an MSR that does not exist",
            "DEAD0001");
        Verify.Throws<ArgumentException>(() => m.Processor.WriteMsr(0xC000_0082, 0x8000_0000_0000_0000),
            "LSTAR with a non-canonical address");
    }

    private static void BadArguments(ConformanceContext c)
    {
        IVirtualProcessor processor = c.CreatePartition().Processors[0];
        Verify.Throws<ArgumentException>(() => processor.GetRegisters([Register.Rax, Register.Rbx], new ulong[1]),
            "Two registers into one value");
        Verify.Throws<ArgumentException>(() => processor.SetRegisters([Register.Rax, Register.Rbx], [1UL]), "Two registers from one value");
        Verify.Throws<ArgumentException>(() => _ = processor[(Register)999], "Register 999");
        Verify.Throws<ArgumentException>(() => processor.GetState((RegisterGroups)0x4000, out _), "Group 0x4000");
    }

    private static void EventsRoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        m.Processor.GetState(RegisterGroups.Events, out ProcessorState state);
        Verify.Equal(state.Events.Activity, ProcessorActivity.Running, "Activity before the run");
        m.RunToHalt();
        m.Processor.GetState(RegisterGroups.Events, out state);
        Verify.Equal(state.Events.Activity, ProcessorActivity.Halted, "Activity after HLT");
        state.Events = new EventState { Activity = ProcessorActivity.Running, Shadow = InterruptibilityShadow.Sti, NmiBlocked = true };
        m.Processor.SetState(RegisterGroups.Events, state);
        m.Processor.GetState(RegisterGroups.Events, out ProcessorState got);
        Verify.Equal(got.Events.Activity, ProcessorActivity.Running, "Activity");
        Verify.Equal(got.Events.Shadow, InterruptibilityShadow.Sti, "Shadow");
        Verify.True(got.Events.NmiBlocked, "NMIs are blocked");
        Verify.True(!got.Events.HasPending && !got.Events.NmiPending, "Nothing is pending");
    }
}
