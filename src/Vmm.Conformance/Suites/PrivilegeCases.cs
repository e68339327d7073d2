using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Transfers between privilege levels, and what levels forbid.</summary>
internal static class PrivilegeCases
{
    public static ConformanceCase[] All =>
    [
        new("privilege.syscall", "SYSCALL and SYSRET switch levels, save RIP and flags, and mask flags", "SDM Vol. 2 SYSCALL, SYSRET",
            SyscallSysret),
        new("privilege.sysenter", "SYSENTER and SYSEXIT switch levels by their MSRs", "SDM Vol. 2 SYSENTER, SYSEXIT", SysenterSysexit),
        new("privilege.swapgs", "SWAPGS exchanges the GS base, and is #UD-free only at level 0", "SDM Vol. 2 SWAPGS", Swapgs),
        new("privilege.iret_to_user", "IRET to level 3 loads CS, SS and RSP in protected and 64-bit mode", "SDM Vol. 2 IRET", IretToUser),
        new("privilege.iret_bad_selector", "IRET to a null CS is #GP(0) and changes nothing", "SDM Vol. 2 IRET", IretBadSelector),
        new("privilege.call_gate", "A call gate lets level 3 call level 0 on the privileged stack, and RETF returns",
            "SDM Vol. 3A 5.8.3 to 5.8.6", CallGate),
        new("privilege.lsl_lar", "LSL, LAR, VERR and VERW answer from descriptors", "SDM Vol. 2 LSL, LAR, VERR", LslLar),
        new("privilege.privileged", "Privileged instructions at level 3 are #GP(0)", "SDM Vol. 3A 5.9", Privileged),
        new("privilege.flags_by_level", "POPF at level 3 keeps IF and IOPL", "SDM Vol. 2 POPF", FlagsByLevel),
    ];

    private static void SyscallSysret(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.stc();
                a.syscall();
                a.mov(r8, rcx);
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            user: true);
        m.Assemble(64, GuestLayout.HighMemory, a =>
        {
            a.mov(rbx, rcx);
            a.mov(rdx, r11);
            a.mov(esi, cs);
            a.mov(edi, ss);
            a.pushfq();
            a.pop(rbp);
            a.db(0x48, 0x0F, 0x07); // sysretq
        });
        m.Processor.WriteMsr(0xC000_0081, ((ulong)GuestSelectors.Code64 << 32) | (0x23UL << 48));
        m.Processor.WriteMsr(0xC000_0082, GuestLayout.HighMemory);
        m.Processor.WriteMsr(0xC000_0084, 0x201);
        m[Register.Rflags] |= 0x200;
        ulong flags = m[Register.Rflags] | 1;
        m.RunToMark();
        m.VerifyRegisters(
            (Register.Rbx, GuestLayout.Code + 3), (Register.Rdx, flags), (Register.Rsi, GuestSelectors.Code64),
                (Register.Rdi, GuestSelectors.Data),
            (Register.R8, GuestLayout.Code + 3), (Register.Rflags, flags));
        Verify.Bits(m[Register.Rbp], 0x201, 0, "Flags masked in the handler");
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        Verify.Equal(state.Segments.Cs.Selector, GuestSelectors.UserCode64, "CS after SYSRET");
        Verify.Equal(state.Segments.Ss.Selector, GuestSelectors.UserData, "SS after SYSRET");
    }

    private static void SysenterSysexit(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Edx & (1 << 11)) != 0, "The processor model has no SYSENTER.");
        GuestMachine m = c.Enter(
            GuestMode.Protected32,
            a =>
            {
                a.sysenter();
                a.nop();
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            user: true);
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.mov(esi, cs);
            a.mov(edi, esp);
            a.mov(edx, (uint)GuestLayout.Code + 3);
            a.mov(ecx, (uint)GuestLayout.StackTop - 64);
            a.sysexit();
        });
        // SYSEXIT takes CS + 16 and CS + 24: four descriptors in a row, so the table is laid out anew.
        ulong[] rows =
        [
            GuestTables.Descriptor(0, 0xF_FFFF, 0xC09B), GuestTables.Descriptor(0, 0xF_FFFF, 0xC093),
                GuestTables.Descriptor(0, 0xF_FFFF, 0xC0FB),
            GuestTables.Descriptor(0, 0xF_FFFF, 0xC0F3),
        ];
        for (int i = 0; i < rows.Length; i++)
            m.Poke(GuestLayout.Gdt + GuestSelectors.Gate + ((ulong)i * 8), rows[i]);
        m.Processor.WriteMsr(0x174, GuestSelectors.Gate);
        m.Processor.WriteMsr(0x175, GuestLayout.PrivilegedStackTop);
        m.Processor.WriteMsr(0x176, GuestLayout.HighMemory);
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, GuestSelectors.Gate), (Register.Rdi, GuestLayout.PrivilegedStackTop),
            (Register.Rsp, GuestLayout.StackTop - 64));
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        Verify.Equal(state.Segments.Cs.Selector, (ushort)(GuestSelectors.Gate + 16 + 3), "CS after SYSEXIT");
    }

    private static void Swapgs(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr.gs[0]);
            a.swapgs();
            a.mov(rbx, __qword_ptr.gs[0]);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x11);
        m.Poke(GuestLayout.Data + 0x1000, 0x22);
        m.Processor.WriteMsr(0xC000_0101, GuestLayout.Data);
        m.Processor.WriteMsr(0xC000_0102, GuestLayout.Data + 0x1000);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x11), (Register.Rbx, 0x22));
        Verify.Equal(m.Processor.ReadMsr(0xC000_0102), GuestLayout.Data, "KERNEL_GS_BASE");
        m = c.Enter(GuestMode.Long, a => a.swapgs(), user: true);
        m.RunToException(13);
    }

    private static void IretToUser(ConformanceContext c)
    {
        foreach (GuestMode mode in (GuestMode[])[GuestMode.Protected32, GuestMode.Long])
        {
            bool wide = mode == GuestMode.Long;
            GuestMachine m = c.Enter(mode, a =>
            {
                a.push(GuestSelectors.UserData);
                a.push((int)GuestLayout.Data + 0x800);
                a.push(0x3002);
                a.push(wide ? GuestSelectors.UserCode64 : GuestSelectors.UserCode32);
                a.push((int)GuestLayout.Code + 0x100);
                if (wide)
                    a.iretq();
                else
                    a.iretd();
            });
            m.Assemble(wide ? 64 : 32, GuestLayout.Code + 0x100, a =>
            {
                a.mov(esi, cs);
                a.@out((byte)GuestLayout.MarkPort, al);
            });
            m.RunToMark();
            m.VerifyRegisters((Register.Rsi, wide ? GuestSelectors.UserCode64 : GuestSelectors.UserCode32),
                (Register.Rsp, GuestLayout.Data + 0x800), (Register.Rflags, 0x3002));
            m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
            Verify.Equal(state.Segments.Ss.Selector, GuestSelectors.UserData, $"SS in {mode}");
            if (!wide)
                Verify.Equal(state.Segments.Ds.Selector, (ushort)0, "DS of level 0 is cleared on the way to level 3");
        }
    }

    private static void IretBadSelector(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.push(GuestSelectors.Data);
            a.push((int)GuestLayout.StackTop);
            a.push(2);
            a.push(0);
            a.push((int)GuestLayout.Code);
            a.iretq();
        });
        ExceptionFrame frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0U, "Error code");
        Verify.Equal(frame.Cs, GuestSelectors.Code64, "CS saved");
        Verify.Equal(frame.Rsp, GuestLayout.StackTop - 40, "RSP saved");
        Verify.Equal(m.Peek(frame.Rip, 2), 0xCF48UL, "The bytes at RIP: IRETQ");
    }

    private static void CallGate(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Protected32,
            a =>
            {
                a.push(0x77);
                a.call(GuestSelectors.Gate | 3, 0U);
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            user: true);
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.mov(esi, cs);
            a.mov(edi, esp);
            a.mov(ebx, __dword_ptr[esp + 8]);
            a.retf(4);
        });
        // A 32-bit call gate of level 3 with one parameter.
        const ulong Target = GuestLayout.HighMemory;
        m.Poke(GuestLayout.Gdt + GuestSelectors.Gate, (Target & 0xFFFF) | ((Target & 0xFFFF_0000) << 32)
            | ((ulong)GuestSelectors.Code32 << 16) | (0xEC01UL << 32));
        ulong stack = m[Register.Rsp];
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, GuestSelectors.Code32), (Register.Rdi, GuestLayout.PrivilegedStackTop - 20), (Register.Rbx, 0x77),
            (Register.Rsp, stack));
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        Verify.Equal(state.Segments.Cs.Selector, GuestSelectors.UserCode32, "CS after the return");
    }

    private static void LslLar(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(edx, GuestSelectors.Code32);
            a.lsl(eax, edx);
            a.sete(bl);
            a.lar(ecx, edx);
            a.verw(dx);
            a.sete(bh);
            a.mov(edx, 0x7F8);
            a.mov(esi, 0x1111);
            a.lsl(esi, edx);
            a.setne(dl);
            a.hlt();
        });
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xFFFF_FFFF), (Register.Rcx, 0x00CF_9B00 & 0x00F0_FF00 | (m[Register.Rcx] & 0x000F_0000)),
            (Register.Rsi, 0x1111));
        Verify.Bits(m[Register.Rbx], 0xFFFF, 0x0001, "ZF of LSL, and of VERW on code");
        Verify.Bits(m[Register.Rdx], 0xFF, 1, "ZF is clear for a selector beyond the table");
    }

    private static void Privileged(ConformanceContext c)
    {
        (string Name, Action<Assembler> Code)[] instructions =
        [
            ("HLT", a => a.hlt()), ("MOV CR0", a => a.mov(rax, cr0)), ("MOV DR0", a => a.mov(rax, dr0)),
                ("LGDT", a => a.lgdt(__[GuestLayout.Data])), ("LTR", a => a.ltr(ax)),
            ("INVLPG", a => a.invlpg(__byte_ptr[GuestLayout.Data])), ("WBINVD", a => a.wbinvd()), ("CLTS", a => a.clts()),
                ("SYSRET", a => a.db(0x48, 0x0F, 0x07)),
        ];
        foreach ((string name, Action<Assembler> code) in instructions)
        {
            GuestMachine m = c.Enter(GuestMode.Long, code, user: true);
            ExceptionFrame frame = m.RunToException();
            Verify.Equal(frame.Vector, (byte)13, name);
            Verify.Equal(frame.ErrorCode, 0U, $"{name}: error code");
            Verify.Equal(frame.Rip, GuestLayout.Code, $"{name}: RIP");
        }
    }

    private static void FlagsByLevel(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.push(0x8D5 | 0x3200);
                a.popfq();
                a.pushfq();
                a.pop(rbx);
                a.ud2();
            },
            user: true);
        m[Register.Rflags] = 2;
        m.RunToException(6);
        m.VerifyRegisters((Register.Rbx, 0x8D7));
    }
}
