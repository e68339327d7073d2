using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Modes of operation, and how guests get from one to another.</summary>
internal static class ModeCases
{
    public static ConformanceCase[] All =>
    [
        new("modes.real_addressing", "Real mode adds segment × 16 and a 16-bit offset that wraps", "SDM Vol. 3A 20.1.1; Vol. 1 3.3.5",
            RealAddressing),
        new("modes.real_ip_wraps", "IP wraps at 64 KiB in real mode jumps", "SDM Vol. 2 JMP", RealIpWraps),
        new("modes.real_interrupts", "INT and IRET in real mode use the vector table and three words", "SDM Vol. 3A 20.1.4",
            RealInterrupts),
        new("modes.real_far", "Far calls and returns in real mode load CS and its base", "SDM Vol. 2 CALL, RET", RealFar),
        new("modes.real_limit", "A word at offset FFFF in real mode is #GP", "SDM Vol. 3A 20.1.1, 20.1.4", RealLimit),
        new("modes.protected_16", "16-bit protected mode defaults to 16-bit operands; prefixes widen them", "SDM Vol. 1 3.6", Protected16),
        new("modes.enter_protected", "A real-mode guest enters 32-bit protected mode by itself and back", "SDM Vol. 3A 9.9",
            EnterProtected),
        new("modes.unreal", "A segment limit loaded in protected mode holds in real mode", "SDM Vol. 3A 9.9.2", Unreal),
        new("modes.enter_long", "A real-mode guest enters 64-bit mode by itself", "SDM Vol. 3A 9.8.5", EnterLong),
        new("modes.leave_long", "A 64-bit guest goes back to 32-bit protected mode without paging", "SDM Vol. 3A 9.8.5.4", LeaveLong),
        new("modes.compatibility", "Far transfers switch between 64-bit and compatibility mode, where 40h is INC",
            "SDM Vol. 1 3.1.1; Vol. 2 JMP", Compatibility),
        new("modes.paging_32", "32-bit paging maps 4 KiB and 4 MiB pages, and faults with its codes", "SDM Vol. 3A 4.3",
            Paging32) { Requires = [Capability.LegacyPaging] },
        new("modes.paging_pae", "PAE paging maps 4 KiB and 2 MiB pages, and heeds no-execute", "SDM Vol. 3A 4.4",
            PagingPae) { Requires = [Capability.LegacyPaging] },
        new("modes.pae_pointers_loaded", "PAE pointers are read when CR3 is loaded, not when memory changes", "SDM Vol. 3A 4.4.1",
            PaePointersLoaded) { Requires = [Capability.LegacyPaging] },
    ];

    private static void RealAddressing(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(ax, 0x1234);
            a.mov(es, ax);
            a.mov(bx, 0xFFF0);
            a.mov(al, __byte_ptr.es[bx + 0x20]);
            a.mov(ah, __byte_ptr.es[bx + 0xF]);
            a.hlt();
        });
        m.Poke(0x1_2340 + 0x10, 0x5A, 1);
        m.Poke(0x1_2340 + 0xFFFF, 0xA5, 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xA55A));
    }

    private static void RealIpWraps(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        // At 2000:FFFC: jmp short +4 goes to 2000:0002.
        m.Memory.Write(0x2_FFFC, [0xEB, 0x04]);
        m.Memory.Write(0x2_0002, [0xB0, 0x77, 0xF4]);
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0x2000);
        m.Processor.SetState(RegisterGroups.Segments, state);
        m[Register.Rip] = 0xFFFC;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x77), (Register.Rip, 5));
    }

    private static void RealInterrupts(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.sti();
            a.@int(0x21);
            a.hlt();
        });
        ExceptionFrame frame = m.RunToException(0x21);
        Verify.Equal(frame.Rip, GuestLayout.Code + 3, "IP saved");
        Verify.Bits(frame.Rflags, 0x200, 0x200, "IF saved");
        Verify.Equal(frame.FrameAddress, 0x1_F000UL - 6, "Address of the frame");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsp, 0xF000));
        Verify.Bits(m[Register.Rflags], 0x200, 0x200, "IF after IRET");
    }

    private static void RealFar(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.call(0x4000, 0x0010);
            a.hlt();
        });
        m.Assemble(16, 0x4_0010, a =>
        {
            a.mov(bx, cs);
            a.mov(cl, __byte_ptr.cs[0x40]);
            a.retf();
        });
        m.Poke(0x4_0040, 0x99, 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x4000), (Register.Rcx, 0x99), (Register.Rip, GuestLayout.Code + 6), (Register.Rsp, 0xF000));
        m.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        Verify.Equal(state.Segments.Cs.Base, 0UL, "CS base after the return");
    }

    private static void RealLimit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(bx, 0xFFFF);
            a.mov(ax, __word_ptr[bx]);
        });
        Verify.Equal(m.RunToException(13).Rip, GuestLayout.Code + 3, "IP saved");
    }

    private static void Protected16(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected16, a =>
        {
            a.mov(ax, 0x1234);
            a.push(ax);
            a.mov(ebx, 0x1234_5678);
            a.push(ebx);
            a.mov(cx, sp);
            a.mov(dl, __byte_ptr[esi + 4]);
            a.hlt();
        });
        m[Register.Rax] = 0xFFFF_0000;
        m[Register.Rsi] = 0x9000;
        m.Poke(0x9004, 0x77, 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xFFFF_1234), (Register.Rbx, 0x1234_5678), (Register.Rcx, 0xF000 - 6), (Register.Rdx, 0x77));
    }

    private static void EnterProtected(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.lgdt(__[0x9000]);
            a.mov(eax, cr0);
            a.or(al, 1);
            a.mov(cr0, eax);
            a.jmp(GuestSelectors.Code32, (uint)GuestLayout.Code + 0x100);
        });
        m.Poke(0x9000, GuestSelectors.TableLimit | (GuestLayout.Gdt << 16));
        m.Assemble(32, GuestLayout.Code + 0x100, a =>
        {
            a.mov(eax, GuestSelectors.Data);
            a.mov(ds, eax);
            a.mov(ss, eax);
            a.mov(esp, (uint)GuestLayout.StackTop);
            a.mov(__dword_ptr[GuestLayout.HighMemory], 0x1357_9BDF);
            a.push(0x55);
            a.pop(ebx);
            a.jmp(GuestSelectors.Code16, (uint)GuestLayout.Code + 0x200);
        });
        m.Assemble(16, GuestLayout.Code + 0x200, a =>
        {
            a.mov(ax, GuestSelectors.Data16);
            a.mov(ds, ax);
            a.mov(ss, ax);
            a.mov(eax, cr0);
            a.and(al, 0xFE);
            a.mov(cr0, eax);
            a.jmp(0, (ushort)(GuestLayout.Code + 0x300));
        });
        m.Assemble(16, GuestLayout.Code + 0x300, a =>
        {
            a.mov(ax, 0x1000);
            a.mov(ds, ax);
            a.mov(cl, __byte_ptr[5]);
            a.hlt();
        });
        m.Poke(0x1_0005, 0x42, 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x55), (Register.Rcx, 0x42));
        Verify.Equal(m.Peek(GuestLayout.HighMemory, 4), 0x1357_9BDFUL, "What was stored in protected mode");
        Verify.Bits(m[Register.Cr0], 1, 0, "CR0.PE");
    }

    private static void Unreal(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.mov(eax, cr0);
            a.inc(ax);
            a.mov(cr0, eax);
            a.mov(bx, GuestSelectors.Data);
            a.mov(ds, bx);
            a.dec(ax);
            a.mov(cr0, eax);
            a.mov(esi, (uint)GuestLayout.HighMemory);
            a.mov(cl, __byte_ptr.ds[esi]);
            a.hlt();
        });
        m.Poke(GuestLayout.HighMemory, 0x77, 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rcx, 0x77));
    }

    private static void EnterLong(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        m.Enter(GuestMode.Real, a =>
        {
            a.mov(eax, 0x20);
            a.mov(cr4, eax);
            a.mov(eax, (uint)GuestLayout.LongTables);
            a.mov(cr3, eax);
            a.mov(ecx, 0xC000_0080);
            a.rdmsr();
            a.or(ax, 0x100);
            a.wrmsr();
            a.mov(eax, cr0);
            a.or(eax, 0x8000_0001);
            a.mov(cr0, eax);
            a.jmp(GuestSelectors.Code64, (uint)GuestLayout.Code + 0x100);
        });
        m.Assemble(64, GuestLayout.Code + 0x100, a =>
        {
            a.mov(r15, 0x1122_3344_5566_7788UL);
            a.mov(ecx, 0xC000_0080);
            a.rdmsr();
            a.hlt();
        });
        m.RunToHalt();
        m.VerifyRegisters((Register.R15, 0x1122_3344_5566_7788));
        Verify.Bits(m[Register.Rax], 0x500, 0x500, "EFER in the guest: LME and LMA");
        Verify.Bits(m[Register.Efer], 0x500, 0x500, "EFER");
    }

    private static void LeaveLong(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Compatibility, a =>
        {
            a.mov(eax, cr0);
            a.btr(eax, 31);
            a.mov(cr0, eax);
            a.mov(ecx, 0xC000_0080);
            a.rdmsr();
            a.mov(ebx, eax);
            a.mov(esi, __dword_ptr[GuestLayout.Data]);
            a.hlt();
        });
        m.ChangePage(GuestLayout.Data, _ => GuestLayout.HighMemory | 7);
        m.Poke(GuestLayout.Data, 0x1234, 4);
        m.RunToHalt();
        Verify.Bits(m[Register.Rbx], 0x500, 0x100, "EFER in the guest: LME without LMA");
        m.VerifyRegisters((Register.Rsi, 0x1234));
    }

    private static void Compatibility(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, 0x1_0000_0005UL);
            a.jmp(__fword_ptr[GuestLayout.Data]);
        });
        m.Poke(GuestLayout.Data, (GuestLayout.Code + 0x100) | ((ulong)GuestSelectors.Code32 << 32));
        m.Assemble(32, GuestLayout.Code + 0x100, a =>
        {
            a.db(0x40); // inc eax here, a prefix in 64-bit mode
            a.mov(ebx, eax);
            a.jmp(GuestSelectors.Code64, (uint)GuestLayout.Code + 0x200);
        });
        m.Assemble(64, GuestLayout.Code + 0x200, a =>
        {
            a.db(0x48, 0x89, 0xE1); // mov rcx, rsp
            a.hlt();
        });
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 6), (Register.Rcx, GuestLayout.StackTop));
        Verify.Bits(m[Register.Rax], 0xFFFF_FFFF, 6, "EAX");
    }

    private static void Paging32(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Paged32, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data + 4]);
            a.mov(ebx, __dword_ptr[0x40_0000 + GuestLayout.Data + 8]);
            a.mov(__dword_ptr[GuestLayout.Data + 0x1000], eax);
        });
        m.ChangePage(GuestLayout.Data, _ => GuestLayout.HighMemory | 7);
        m.ChangePage(GuestLayout.Data + 0x1000, e => e & ~2UL);
        m.Poke(GuestLayout.Tables32 + 4, 0x87, 4);
        m.Poke(GuestLayout.HighMemory + 4, 0x11, 4);
        m.Poke(GuestLayout.Data + 8, 0x22, 4);
        ExceptionFrame frame = m.RunToException(14);
        Verify.Equal(frame.ErrorCode, 3U, "Error code");
        m.VerifyRegisters((Register.Rax, 0x11), (Register.Rbx, 0x22), (Register.Cr2, GuestLayout.Data + 0x1000));
        Verify.Bits(m.Peek(m.PageEntryAddress(GuestLayout.Data), 4), 0x60, 0x20, "Accessed and dirty of the 4 KiB page");
        Verify.Bits(m.Peek(GuestLayout.Tables32 + 4, 4), 0x60, 0x20, "Accessed and dirty of the 4 MiB page");
    }

    private static void PagingPae(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Pae, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data + 4]);
            a.mov(__dword_ptr[0x20_0000 + GuestLayout.Data + 8], eax);
            a.jmp(GuestLayout.Data + 0x1000);
        });
        m.ChangePage(GuestLayout.Data, _ => GuestLayout.HighMemory | 7);
        m.ChangePage(GuestLayout.Data + 0x1000, e => e | (1UL << 63));
        m.Poke(GuestLayout.PaeTables + 0x1000 + 8, 0x87);
        m.Poke(GuestLayout.HighMemory + 4, 0x11, 4);
        ExceptionFrame frame = m.RunToException(14);
        Verify.Equal(frame.ErrorCode, 0x11U, "Error code");
        Verify.Equal(frame.Rip, GuestLayout.Data + 0x1000, "EIP");
        m.VerifyRegisters((Register.Rax, 0x11));
        Verify.Equal(m.Peek(GuestLayout.Data + 8, 4), 0x11UL, "What was stored through the 2 MiB page");
        Verify.Bits(m.Peek(GuestLayout.PaeTables + 0x1000 + 8), 0x60, 0x60, "Accessed and dirty of the 2 MiB page");
    }

    private static void PaePointersLoaded(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Pae, a =>
        {
            a.mov(__dword_ptr[GuestLayout.PaeTables + 8], (uint)(GuestLayout.PaeTables + 0x1000 + 1));
            a.mov(eax, __dword_ptr[ebx]);
            a.hlt();
        });
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.mov(ecx, cr3);
            a.mov(cr3, ecx);
            a.inc(edx);
            a.add(esp, 4);
            a.iretd();
        });
        m.SetHandler(14, GuestLayout.HighMemory);
        m[Register.Rbx] = 0x4000_0000 + GuestLayout.Data;
        m.Poke(GuestLayout.Data, 0x66, 4);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x66));
        // AMD processors read the pointers at each walk under nested paging (APM Vol. 2 15.25.10).
        if (m.Memory.Format != SlatFormat.Npt)
            m.VerifyRegisters((Register.Rdx, 1));
    }
}
