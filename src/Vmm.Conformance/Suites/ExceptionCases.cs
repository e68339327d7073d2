using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Exceptions: vectors, error codes, return addresses, stacks.</summary>
internal static class ExceptionCases
{
    public static ConformanceCase[] All =>
    [
        new("exceptions.divide", "DIV by zero and an overflowing IDIV are #DE at the instruction, without error code",
            "SDM Vol. 3A 6.15 #DE; Vol. 2 DIV, IDIV", Divide),
        new("exceptions.undefined", "UD2 is #UD at the instruction, in every mode", "SDM Vol. 3A 6.15 #UD", Undefined),
        new("exceptions.breakpoint", "INT3 is #BP after the instruction", "SDM Vol. 3A 6.15 #BP", Breakpoint),
        new("exceptions.overflow", "INTO is #OF after the instruction when OF is set, and nothing when not", "SDM Vol. 2 INTO", Overflow),
        new("exceptions.software_interrupt", "INT n goes to its vector, saves flags and return address; a trap gate keeps IF",
            "SDM Vol. 2 INT; Vol. 3A 6.12.1.3", SoftwareInterrupt),
        new("exceptions.non_canonical", "A non-canonical data address is #GP(0), a stack one #SS(0)", "SDM Vol. 1 3.3.7.1; Vol. 3A 6.15",
            NonCanonical),
        new("exceptions.selector_codes",
            "Loading a bad selector is #GP, an absent segment #NP, an absent stack #SS, with the selector as error code",
            "SDM Vol. 3A 6.13, 6.15", SelectorCodes),
        new("exceptions.limit", "An offset beyond the limit is #GP(0), of SS #SS(0), in 32-bit mode", "SDM Vol. 3A 5.3", Limit),
        new("exceptions.read_only_segment", "A store to a read-only segment is #GP(0)", "SDM Vol. 3A 5.4", ReadOnlySegment),
        new("exceptions.double_fault", "A fault whose handler is absent becomes #DF with error code 0", "SDM Vol. 3A 6.15 #DF, table 6-5",
            DoubleFault),
        new("exceptions.triple_fault", "A triple fault is Shutdown; Run throws until state is set",
            "SDM Vol. 3A 6.15 #DF; contract 4: Shutdown", TripleFault),
        new("exceptions.shutdown_reset", "Reset brings a processor back from Shutdown", "contract 4: or the vCPU is reset", ShutdownReset),
        new("exceptions.alignment", "A misaligned access at level 3 with AC and AM set is #AC(0)", "SDM Vol. 3A 6.15 #AC", Alignment),
        new("exceptions.device_not_available", "x87 and SSE with CR0.TS set are #NM", "SDM Vol. 3A 6.15 #NM", DeviceNotAvailable),
        new("exceptions.simd", "An unmasked SSE division by zero is #XM, and MXCSR shows it", "SDM Vol. 3A 6.15 #XM; Vol. 1 11.5.2",
            SimdException),
        new("exceptions.x87", "An unmasked x87 division by zero is #MF at the next waiting instruction", "SDM Vol. 1 8.7; Vol. 3A 6.15 #MF",
            X87Exception),
        new("exceptions.misaligned_sse", "MOVAPS at a misaligned address is #GP(0)", "SDM Vol. 2 MOVAPS", MisalignedSse),
        new("exceptions.stack_alignment", "In 64-bit mode the frame is pushed on a stack aligned to 16", "SDM Vol. 3A 6.14.2",
            StackAlignment),
        new("exceptions.level_switch", "A fault at level 3 is handled on the task-state segment's stack, with SS and RSP saved",
            "SDM Vol. 3A 6.14.2, 6.14.4", LevelSwitch),
        new("exceptions.interrupt_stack", "A vector with an IST entry switches stack without a change of level", "SDM Vol. 3A 6.14.5",
            InterruptStack),
        new("exceptions.gate_level", "INT n from level 3 to a gate of level 0 is #GP with the vector in the error code",
            "SDM Vol. 3A 6.12.1.2, 6.13", GateLevel),
        new("exceptions.resume_flag", "A fault saves RF set, a trap saves it clear", "SDM Vol. 3B 17.3.1.1", ResumeFlag),
        new("exceptions.intercept", "A chosen exception exits at its instruction instead of reaching the guest", "contract 4: Exception",
            Intercept)
        {
            Requires = [Capability.ExceptionExits],
        },
        new("exceptions.intercept_trap", "A chosen #DB trap exits behind its instruction, and injected again is the trap it was", "contract 4: Exception",
            InterceptTrap)
        {
            Requires = [Capability.ExceptionExits],
        },
    ];

    private static void Divide(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.div(cl);
            a.idiv(ebx);
        });
        m[Register.Rax] = 0x8000_0000;
        m[Register.Rdx] = 0xFFFF_FFFF;
        m[Register.Rbx] = 0xFFFF_FFFF;
        ulong stack = m[Register.Rsp];
        ExceptionFrame frame = m.RunToException(0);
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP of the DIV");
        Verify.Equal(frame.Cs, GuestSelectors.Code64, "CS");
        Verify.Equal(frame.Rsp, stack, "RSP");
        m[Register.Rip] = GuestLayout.Code + 2;
        frame = m.RunToException(0);
        Verify.Equal(frame.Rip, GuestLayout.Code + 2, "RIP of the IDIV");
        m.VerifyRegisters((Register.Rax, 0x8000_0000), (Register.Rdx, 0xFFFF_FFFF));
    }

    private static void Undefined(ConformanceContext c)
    {
        foreach (GuestMode mode in (GuestMode[])[GuestMode.Real, GuestMode.Protected16, GuestMode.Protected32, GuestMode.Compatibility,
            GuestMode.Long])
        {
            GuestMachine m = c.Enter(mode, a =>
            {
                a.nop();
                a.ud2();
            });
            ExceptionFrame frame = m.RunToException(6);
            Verify.Equal(frame.Rip, GuestLayout.Code + 1, $"RIP in {mode}");
        }
    }

    private static void Breakpoint(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.int3();
            a.hlt();
        });
        Verify.Equal(m.RunToException(3).Rip, GuestLayout.Code + 1, "RIP");
        m.RunToHalt();
    }

    private static void Overflow(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.into();
            a.add(al, 0x7F);
            a.into();
            a.hlt();
        });
        m[Register.Rax] = 1;
        Verify.Equal(m.RunToException(4).Rip, GuestLayout.Code + 4, "RIP");
        m.RunToHalt();
    }

    private static void SoftwareInterrupt(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.@int(0x40);
            a.@int(0x41);
            a.hlt();
        });
        m.SetHandler(0x41, GuestLayout.Stubs + (0x41 * 16), trap: true);
        ExceptionFrame frame = m.RunToException(0x40);
        Verify.Equal(frame.Rip, GuestLayout.Code + 3, "RIP");
        Verify.Bits(frame.Rflags, 0x200, 0x200, "IF saved");
        Verify.Bits(m[Register.Rflags], 0x200, 0, "IF behind an interrupt gate");
        frame = m.RunToException(0x41);
        Verify.Equal(frame.Rip, GuestLayout.Code + 5, "RIP");
        Verify.Bits(m[Register.Rflags], 0x200, 0x200, "IF behind a trap gate");
        m.RunToHalt();
    }

    private static void NonCanonical(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[rbx]);
            a.mov(rax, __qword_ptr[rbp]);
        });
        m[Register.Rbx] = m[Register.Rbp] = 0x8000_0000_0000;
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        m[Register.Rip] = GuestLayout.Code + 3;
        frame = m.RunToException(12);
        Verify.Equal(frame.ErrorCode, 0U, "Error code through RBP");
        Verify.Equal(frame.Rip, GuestLayout.Code + 3, "RIP");
    }

    private static void SelectorCodes(ConformanceContext c)
    {
        (string What, ushort Selector, bool Stack, byte Vector, uint Code)[] cases =
        [
            ("DS beyond the table", 0x7F8, false, 13, 0x7F8),
                ("DS with a code segment that cannot be read", GuestSelectors.Free, false, 13, GuestSelectors.Free),
            ("DS absent", GuestSelectors.Free + 8, false, 11, GuestSelectors.Free + 8), ("SS null", 0, true, 13, 0),
            ("SS absent", GuestSelectors.Free + 8, true, 12, GuestSelectors.Free + 8), ("DS in an empty LDT", 0x14, false, 13, 0x14),
            ("SS with another RPL", GuestSelectors.Data | 3, true, 13, GuestSelectors.Data),
        ];
        foreach ((string what, ushort selector, bool stack, byte vector, uint code) in cases)
        {
            GuestMachine m = c.Enter(GuestMode.Protected32, a =>
            {
                if (stack)
                    a.mov(ss, ax);
                else
                    a.mov(ds, ax);
            });
            m.Poke(GuestLayout.Gdt + GuestSelectors.Free, GuestTables.Descriptor(0, 0xF_FFFF, 0xC099));
            m.Poke(GuestLayout.Gdt + GuestSelectors.Free + 8, GuestTables.Descriptor(0, 0xF_FFFF, 0xC013));
            m[Register.Rax] = selector;
            ExceptionFrame frame = m.RunToException();
            Verify.Equal(frame.Vector, vector, what);
            Verify.Equal(frame.ErrorCode, code, $"{what}: error code");
            Verify.Equal(frame.Rip, GuestLayout.Code, $"{what}: RIP");
        }
    }

    private static void Limit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr.fs[0xFFC]);
            a.mov(ebx, __dword_ptr.fs[0xFFD]);
        });
        m.Poke(GuestLayout.Data + 0xFFC, 0x77, 4);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Fs = new SegmentDescriptor(GuestSelectors.Free, GuestLayout.Data, 0xFFF, 0x4093);
        m.Processor.SetState(RegisterGroups.Segments, state);
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        m.VerifyRegisters((Register.Rax, 0x77), (Register.Rbx, 0));
    }

    private static void ReadOnlySegment(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a => a.mov(__dword_ptr.fs[0], eax));
        m.Poke(GuestLayout.Data, 0x55, 4);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Fs = new SegmentDescriptor(GuestSelectors.Free, GuestLayout.Data, 0xFFF, 0x4091);
        m.Processor.SetState(RegisterGroups.Segments, state);
        Verify.Equal(m.RunToException(13).ErrorCode, 0U, "Error code");
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 0x55UL, "Memory");
    }

    private static void DoubleFault(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(ds, ax));
        m[Register.Rax] = 0x7F8;
        m.Poke(GuestLayout.Idt + (13 * 16) + 5, 0x0E, 1); // #GP's gate is not present
        ExceptionFrame frame = m.RunToException(8);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        Verify.Equal(frame.Rip, GuestLayout.Code, "RIP");
    }

    private static void TripleFault(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.ud2();
            a.hlt();
        });
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        TableDescriptor good = state.Segments.Idtr;
        state.Segments.Idtr = new TableDescriptor(GuestLayout.Idt, 0);
        m.Processor.SetState(RegisterGroups.Segments, state);
        m.RunTo(ExitKind.Shutdown);
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run after Shutdown");
        Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "Run after Shutdown, again");
        state.Segments.Idtr = good;
        m.Processor.SetState(RegisterGroups.Segments, state);
        m[Register.Rip] = GuestLayout.Code + 2;
        m.RunToHalt();
    }

    private static void ShutdownReset(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.ud2());
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Idtr = new TableDescriptor(0, 0);
        m.Processor.SetState(RegisterGroups.Segments, state);
        m.RunTo(ExitKind.Shutdown);
        m.Partition.Reset(true);
        m.Enter(GuestMode.Real, a => a.hlt());
        m.RunToHalt();
    }

    private static void Alignment(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data]);
            a.mov(eax, __dword_ptr[GuestLayout.Data + 2]);
        }, user: true);
        m[Register.Cr0] |= 1UL << 18;
        m[Register.Rflags] |= 1UL << 18;
        ExceptionFrame frame = m.RunToException(17);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        Verify.NotEqual(frame.Rip, GuestLayout.Code, "RIP: the aligned access did not fault");
    }

    private static void DeviceNotAvailable(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.fld1();
            a.movups(xmm0, xmm1);
            a.clts();
            a.fld1();
            a.hlt();
        });
        m[Register.Cr0] |= 8;
        Verify.Equal(m.RunToException(7).Rip, GuestLayout.Code, "RIP of the x87 instruction");
        m[Register.Rip] = GuestLayout.Code + 2;
        Verify.Equal(m.RunToException(7).Rip, GuestLayout.Code + 2, "RIP of the SSE instruction");
        m[Register.Rip] = GuestLayout.Code + 5;
        m.RunToHalt();
    }

    private static void SimdException(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.ldmxcsr(__dword_ptr[GuestLayout.Data]);
            a.divss(xmm0, xmm1);
            a.hlt();
        });
        m.Assemble(64, GuestLayout.Data + 0x100, a =>
        {
            a.stmxcsr(__dword_ptr[GuestLayout.Data]);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x1D80, 4); // division by zero unmasked
        byte[] area = new byte[m.Processor.XsaveSize];
        m.Processor.GetXsave(area);
        BitConverter.TryWriteBytes(area.AsSpan(160), 1.0f);
        area[512] |= 2;
        BitConverter.TryWriteBytes(area.AsSpan(24), 0x1F80U);
        m.Processor.SetXsave(area);
        m.SetHandler(19, GuestLayout.Data + 0x100);
        m.RunToHalt();
        Verify.Bits(m.Peek(GuestLayout.Data, 4), 0x3F, 4, "MXCSR: ZE");
        Verify.NotEqual(m[Register.Rip], GuestLayout.Code, "RIP");
    }

    private static void X87Exception(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.fninit();
            a.fldcw(__word_ptr[GuestLayout.Data]);
            a.fld1();
            a.fldz();
            a.fdivp(st1, st0);
            a.nop();
            a.mov(ebx, 1);
            a.wait();
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x037B, 2); // division by zero unmasked
        m[Register.Cr0] |= 0x20;
        ExceptionFrame frame = m.RunToException(16);
        m.VerifyRegisters((Register.Rbx, 1));
        Verify.Equal(m.Peek(frame.Rip, 1), 0x9BUL, "The byte at RIP: FWAIT");
    }

    private static void MisalignedSse(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.movaps(xmm0, __xmmword_ptr[GuestLayout.Data + 8]));
        Verify.Equal(m.RunToException(13).ErrorCode, 0U, "Error code");
    }

    private static void StackAlignment(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@int(0x40);
            a.hlt();
        });
        m[Register.Rsp] = GuestLayout.StackTop - 3;
        ExceptionFrame frame = m.RunToException(0x40);
        Verify.Equal(frame.Rsp, GuestLayout.StackTop - 3, "RSP saved");
        Verify.Equal(frame.FrameAddress, GuestLayout.StackTop - 16 - 40, "Address of the frame");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsp, GuestLayout.StackTop - 3));
    }

    private static void LevelSwitch(ConformanceContext c)
    {
        foreach (GuestMode mode in (GuestMode[])[GuestMode.Protected32, GuestMode.Compatibility, GuestMode.Long])
        {
            GuestMachine m = c.Enter(mode, a => a.ud2(), user: true);
            ulong stack = m[Register.Rsp];
            ExceptionFrame frame = m.RunToException(6);
            Verify.Equal(frame.Ss, GuestSelectors.UserData, $"SS saved in {mode}");
            Verify.Equal(frame.Rsp, stack, $"RSP saved in {mode}");
            Verify.Equal(frame.Cs & 3, 3, $"Level of CS saved in {mode}");
            ulong pushed = mode == GuestMode.Protected32 ? 20UL : 40;
            Verify.Equal(frame.FrameAddress, GuestLayout.PrivilegedStackTop - pushed, $"Address of the frame in {mode}");
            m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
            Verify.Equal(state.Segments.Cs.Selector & 3, 0, $"Level of the handler in {mode}");
            Verify.Equal(state.Segments.Ss.Selector, mode == GuestMode.Protected32 ? GuestSelectors.Data : (ushort)0,
                $"SS of the handler in {mode}");
        }
    }

    private static void InterruptStack(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@int(0x40);
            a.hlt();
        });
        m.SetHandler(0x40, GuestLayout.Stubs + (0x40 * 16), stack: 1);
        ExceptionFrame frame = m.RunToException(0x40);
        Verify.Equal(frame.FrameAddress, GuestLayout.InterruptStackTop - 40, "Address of the frame");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsp, GuestLayout.StackTop));
    }

    private static void GateLevel(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@int(0x80);
            a.@int(0x40);
        }, user: true);
        Verify.Equal(m.RunToException(0x80).Rip, GuestLayout.Code + 2, "RIP behind the gate of level 3");
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, (0x40U << 3) | 2, "Error code: the vector, with the IDT bit");
        Verify.Equal(frame.Rip, GuestLayout.Code + 2, "RIP");
    }

    private static void ResumeFlag(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.int3();
            a.ud2();
        });
        Verify.Bits(m.RunToException(3).Rflags, 1 << 16, 0, "RF saved by a trap");
        Verify.Bits(m.RunToException(6).Rflags, 1 << 16, 1 << 16, "RF saved by a fault");
        Verify.Bits(m[Register.Rflags], 1 << 16, 0, "RF in the handler");
    }

    private static void Intercept(ConformanceContext c)
    {
        const uint Wanted = (1 << 6) | (1 << 14);
        uint mask = c.Capabilities.InterceptableExceptions & Wanted;
        ConformanceContext.SkipUnless(mask == Wanted, "The backend cannot intercept #UD and #PF.");
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.ud2();
                a.mov(__byte_ptr[GuestLayout.Data + 5], al);
                a.int3();
            },
            configure: o => o with { ExceptionExits = mask });
        m.ChangePage(GuestLayout.Data, entry => entry & ~2UL);
        VpExit exit = m.RunTo(ExitKind.Exception);
        Verify.Equal(exit.Exception, new ExceptionExit { Vector = 6 }, "The #UD");
        m.VerifyRegisters((Register.Rip, GuestLayout.Code), (Register.Rsp, GuestLayout.StackTop));
        m[Register.Rip] = GuestLayout.Code + 2;
        exit = m.RunTo(ExitKind.Exception);
        Verify.Equal(exit.Exception, new ExceptionExit { Vector = 14, HasErrorCode = true, ErrorCode = 3, Payload = GuestLayout.Data + 5 },
            "The #PF");
        m.VerifyRegisters((Register.Rip, GuestLayout.Code + 2));
        m.ChangePage(GuestLayout.Data, entry => entry | 2);
        m.RunToException(3);
    }

    private static void InterceptTrap(ConformanceContext c)
    {
        const uint Debug = 1 << 1, SingleStep = 0x4000;
        ConformanceContext.SkipUnless((c.Capabilities.InterceptableExceptions & Debug) != 0, "The backend cannot intercept #DB.");
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.push(0x102);
                a.popfq();
                a.nop();
                a.nop();
                a.hlt();
            },
            configure: o => o with { ExceptionExits = Debug });
        VpExit exit = m.RunTo(ExitKind.Exception);
        Verify.Equal(exit.Exception, new ExceptionExit { Vector = 1, Payload = SingleStep }, "The #DB");
        ulong behind = m[Register.Rip];
        m.Processor.Inject(new InjectedEvent { Kind = InjectedEventKind.Exception, Vector = 1, Payload = SingleStep });
        Verify.Equal(m.RunToException(1).Rip, behind, "RIP saved by the trap");
        Verify.Bits(m[Register.Dr6], SingleStep, SingleStep, "DR6.BS");
    }
}
