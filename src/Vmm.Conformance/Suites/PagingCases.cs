using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The guest's own page tables: rights, error codes, accessed and dirty bits, invalidation.</summary>
internal static class PagingCases
{
    private const ulong Page = GuestLayout.Data, Write = 2, User = 4, NoExecute = 1UL << 63;

    public static ConformanceCase[] All =>
    [
        new("paging.fault_codes", "Each kind of refused access gives its error code, CR2 and RIP", "SDM Vol. 3A 4.7, figure 4-12",
            FaultCodes),
        new("paging.fault_codes_user", "Level 3 gives the user bit, and is refused supervisor pages", "SDM Vol. 3A 4.6, 4.7",
            FaultCodesUser),
        new("paging.upper_levels", "Rights are combined over all levels", "SDM Vol. 3A 4.6", UpperLevels),
        new("paging.write_protect", "CR0.WP decides whether supervisor stores heed read-only pages", "SDM Vol. 3A 4.6.1", WriteProtect),
        new("paging.no_execute_disabled", "Without EFER.NXE, bit 63 is reserved", "SDM Vol. 3A 4.7: RSVD", NoExecuteDisabled),
        new("paging.reserved_bits", "A reserved bit in a large page gives RSVD", "SDM Vol. 3A 4.7, table 4-18", ReservedBits),
        new("paging.supervisor_prevention", "SMEP and SMAP refuse user pages to the supervisor, and AC lifts SMAP", "SDM Vol. 3A 4.6.1",
            SupervisorPrevention),
        new("paging.accessed_dirty", "A load sets accessed bits at every level, a store dirty in the leaf, translation sets none",
            "SDM Vol. 3A 4.8", AccessedDirty),
        new("paging.no_bits_on_fault", "A refused store does not set the dirty bit", "SDM Vol. 3A 4.8", NoBitsOnFault),
        new("paging.dirty_after_load", "A store after a load through the same entry sets dirty", "SDM Vol. 3A 4.8", DirtyAfterLoad),
        new("paging.large_page_bits", "A 2 MiB page has its own accessed and dirty bits", "SDM Vol. 3A 4.8", LargePageBits),
        new("paging.invlpg", "After INVLPG the changed entry counts", "SDM Vol. 3A 4.10.4.1", Invlpg),
        new("paging.cr3_reload", "After a reload of CR3 changed entries count, code pages too", "SDM Vol. 3A 4.10.4.1", Cr3Reload),
        new("paging.split_frames", "Loads, stores and fetches across pages reach frames that are not neighbours", "SDM Vol. 3A 4.1",
            SplitFrames),
        new("paging.split_fault", "A store across two pages that faults on the second changes neither",
            "SDM Vol. 3A 6.15 #PF, 6.5: restartable", SplitFault) { Requires = [Capability.PreciseSplitAccess] },
        new("paging.mend_and_resume", "A handler that mends the page and returns lets the instruction run", "SDM Vol. 3A 6.5: restartable",
            MendAndResume),
        new("paging.stack_fault", "A push onto an absent page faults and leaves RSP", "SDM Vol. 3A 6.15 #PF, 6.5: restartable", StackFault),
    ];

    private static (ExceptionFrame Frame, ulong Address) Fault(GuestMachine m)
    {
        ExceptionFrame frame = m.RunToException();
        Verify.Equal(frame.Vector, (byte)14, "Vector");
        return (frame, m[Register.Cr2]);
    }

    private static void Expect(ConformanceContext c, string what, uint code, bool user, Func<ulong, ulong> change,
        Action<Iced.Intel.Assembler> access, ulong linear)
    {
        GuestMachine m = c.Enter(GuestMode.Long, access, user);
        m.ChangePage(Page, change);
        (ExceptionFrame frame, ulong address) = Fault(m);
        Verify.Equal(frame.ErrorCode, code, $"{what}: error code");
        Verify.Equal(address, linear, $"{what}: CR2");
        Verify.Equal(frame.Rip, code is 0x10 or 0x11 or 0x14 or 0x15 ? linear : GuestLayout.Code, $"{what}: RIP");
    }

    private static void FaultCodes(ConformanceContext c)
    {
        Expect(c, "Load, absent", 0, false, e => e & ~1UL, a => a.mov(eax, __dword_ptr[Page + 0x123]), Page + 0x123);
        Expect(c, "Store, absent", 2, false, e => e & ~1UL, a => a.mov(__dword_ptr[Page + 8], eax), Page + 8);
        Expect(c, "Store, read-only", 3, false, e => e & ~Write, a => a.inc(__dword_ptr[Page + 8]), Page + 8);
        Expect(c, "Fetch, absent", 0x10, false, e => e & ~1UL, a => a.jmp(Page + 0x10), Page + 0x10);
        Expect(c, "Fetch, no execute", 0x11, false, e => e | NoExecute, a => a.jmp(Page + 0x10), Page + 0x10);
        Expect(c, "Load, reserved bit", 9, false, e => e | (1UL << 51), a => a.mov(eax, __dword_ptr[Page]), Page);
    }

    private static void FaultCodesUser(ConformanceContext c)
    {
        Expect(c, "Load, absent", 4, true, e => e & ~1UL, a => a.mov(eax, __dword_ptr[Page]), Page);
        Expect(c, "Store, absent", 6, true, e => e & ~1UL, a => a.mov(__dword_ptr[Page], eax), Page);
        Expect(c, "Load, supervisor", 5, true, e => e & ~User, a => a.mov(eax, __dword_ptr[Page]), Page);
        Expect(c, "Store, read-only", 7, true, e => e & ~Write, a => a.mov(__dword_ptr[Page], eax), Page);
        Expect(c, "Fetch, supervisor", 0x15, true, e => e & ~User, a => a.jmp(Page), Page);
        Expect(c, "Fetch, no execute", 0x15, true, e => e | NoExecute, a => a.jmp(Page), Page);
    }

    private static void UpperLevels(ConformanceContext c)
    {
        (string What, ulong Entry, ulong Clear, ulong Set, uint Code)[] cases =
        [
            ("PML4 read-only", GuestLayout.LongTables, Write, 0, 7), ("PDPT supervisor", GuestLayout.LongTables + 0x1000, User, 0, 7),
            ("Page directory read-only", GuestLayout.LongTables + 0x2000, Write, 0, 7),
                ("PDPT absent", GuestLayout.LongTables + 0x1000, 1, 0, 6),
        ];
        foreach ((string what, ulong entry, ulong clear, ulong set, uint code) in cases)
        {
            // The rights are changed in a second tree, at 512 GiB, so that code and stack stay as they are.
            GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(__dword_ptr[rbx], eax), user: true);
            byte[] tables = m.PeekBytes(GuestLayout.LongTables, 0x4000);
            ulong move = GuestLayout.HighMemory - GuestLayout.LongTables;
            m.Memory.Write(GuestLayout.HighMemory, tables);
            for (ulong level = 0; level < 3; level++)
                m.Poke(GuestLayout.HighMemory + (level * 0x1000), m.Peek(GuestLayout.HighMemory + (level * 0x1000)) + move);
            m.Poke(GuestLayout.LongTables + 8, m.Peek(GuestLayout.HighMemory));
            ulong changed = entry == GuestLayout.LongTables ? entry + 8 : entry + move;
            m.Poke(changed, (m.Peek(changed) & ~clear) | set);
            m[Register.Rbx] = 0x80_0000_0000 + Page;
            (ExceptionFrame frame, ulong address) = Fault(m);
            Verify.Equal(frame.ErrorCode, code, $"{what}: error code");
            Verify.Equal(address, 0x80_0000_0000 + Page, $"{what}: CR2");
        }
    }

    private static void WriteProtect(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(__dword_ptr[Page], eax);
            a.mov(rcx, cr0);
            a.bts(ecx, 16);
            a.mov(cr0, rcx);
            a.mov(__dword_ptr[Page], ebx);
        });
        m.ChangePage(Page, e => e & ~Write);
        m[Register.Cr0] &= ~0x1_0000UL;
        m[Register.Rax] = 0x1234;
        m[Register.Rbx] = 0x5678;
        (ExceptionFrame frame, _) = Fault(m);
        Verify.Equal(frame.ErrorCode, 3U, "Error code");
        Verify.Equal(m.Peek(Page, 4), 0x1234UL, "Memory: the store without WP");
    }

    private static void NoExecuteDisabled(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(eax, __dword_ptr[Page]));
        m.ChangePage(Page, e => e | NoExecute);
        m[Register.Efer] &= ~0x800UL;
        Verify.Equal(Fault(m).Frame.ErrorCode, 9U, "Error code");
    }

    private static void ReservedBits(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(eax, __dword_ptr[0x20_0000]));
        m.Poke(GuestLayout.LongTables + 0x2000 + 8, 0x20_0087 | (1 << 14));
        (ExceptionFrame frame, ulong address) = Fault(m);
        Verify.Equal(frame.ErrorCode, 9U, "Error code");
        Verify.Equal(address, 0x20_0000UL, "CR2");
    }

    private static void SupervisorPrevention(ConformanceContext c)
    {
        ConformanceContext.SkipUnless(c.GuestCpuid(0).Eax >= 7, "The processor model has no leaf 7.");
        uint features = c.GuestCpuid(7).Ebx;
        ConformanceContext.SkipUnless((features & (1 << 7)) != 0 && (features & (1 << 20)) != 0,
            "The processor model has no SMEP and SMAP.");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rcx, cr4);
            a.or(ecx, (1 << 20) | (1 << 21));
            a.mov(cr4, rcx);
            a.stac();
            a.mov(eax, __dword_ptr[Page]);
            a.clac();
            a.nop();
            a.mov(ebx, __dword_ptr[Page]);
        });
        // Everything but one page becomes supervisor memory.
        for (ulong page = 0; page < GuestLayout.End; page += 0x1000)
            m.ChangePage(page, e => page == Page ? e : e & ~User);
        m.Poke(Page, 0x99, 4);
        Verify.Equal(Fault(m).Frame.ErrorCode, 1U, "Error code under SMAP");
        m.VerifyRegisters((Register.Rax, 0x99), (Register.Rbx, 0));
        m.Assemble(64, GuestLayout.Code, a => a.jmp(Page));
        m[Register.Rip] = GuestLayout.Code;
        Verify.Equal(Fault(m).Frame.ErrorCode, 0x11U, "Error code under SMEP");
    }

    private static void AccessedDirty(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.mov(__dword_ptr[Page + 0x1000], eax);
            a.hlt();
        });
        m.RunToHalt();
        Verify.Bits(m.Peek(m.PageEntryAddress(Page)), 0x60, 0x20, "Entry of the page read");
        Verify.Bits(m.Peek(m.PageEntryAddress(Page + 0x1000)), 0x60, 0x60, "Entry of the page written");
        Verify.Bits(m.Peek(m.PageEntryAddress(Page + 0x2000)), 0x60, 0, "Entry of a page not touched");
        for (ulong level = 0; level < 3; level++)
            Verify.Bits(m.Peek(GuestLayout.LongTables + (level * 0x1000)), 0x20, 0x20, $"Accessed bit at level {4 - level}");
        Verify.Bits(m.Peek(GuestLayout.LongTables + 0x2000 + 8), 0x60, 0, "A page directory entry not used");
    }

    private static void NoBitsOnFault(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(__dword_ptr[Page], eax));
        m.ChangePage(Page, e => e & ~Write);
        Fault(m);
        Verify.Bits(m.Peek(m.PageEntryAddress(Page)), 0x40, 0, "Dirty bit");
    }

    private static void DirtyAfterLoad(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.mov(rbx, __qword_ptr[rsi]);
            a.mov(__dword_ptr[Page], eax);
            a.mov(rcx, __qword_ptr[rsi]);
            a.hlt();
        });
        m[Register.Rsi] = m.PageEntryAddress(Page);
        m.RunToHalt();
        Verify.Bits(m[Register.Rbx], 0x60, 0x20, "Entry after the load");
        Verify.Bits(m[Register.Rcx], 0x60, 0x60, "Entry after the store");
    }

    private static void LargePageBits(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(__dword_ptr[0x20_0000 + GuestLayout.Data], eax);
            a.hlt();
        });
        m.Poke(GuestLayout.LongTables + 0x2000 + 8, 0x87); // 2 MiB at 2 MiB, mapped to 0
        m[Register.Rax] = 0x4321;
        m.RunToHalt();
        Verify.Bits(m.Peek(GuestLayout.LongTables + 0x2000 + 8), 0x60, 0x60, "The large page's entry");
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 0x4321UL, "Memory");
    }

    private static void Invlpg(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.mov(__qword_ptr[rsi], rdi);
            a.invlpg(__byte_ptr[Page + 0x555]);
            a.mov(ebx, __dword_ptr[Page]);
            a.hlt();
        });
        m.Poke(Page, 0x11, 4);
        m.Poke(GuestLayout.HighMemory, 0x22, 4);
        m[Register.Rsi] = m.PageEntryAddress(Page);
        m[Register.Rdi] = GuestLayout.HighMemory | 7;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x11), (Register.Rbx, 0x22));
    }

    private static void Cr3Reload(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.call(Page);
            a.mov(__qword_ptr[rsi], rdi);
            a.mov(rcx, cr3);
            a.mov(cr3, rcx);
            a.call(Page);
            a.hlt();
        });
        m.Assemble(64, Page, a =>
        {
            a.add(rax, 1);
            a.ret();
        });
        m.Assemble(64, GuestLayout.HighMemory, a =>
        {
            a.add(rax, 100);
            a.ret();
        });
        m[Register.Rsi] = m.PageEntryAddress(Page);
        m[Register.Rdi] = GuestLayout.HighMemory | 7;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 101));
    }

    private static void SplitFrames(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[Page + 0xFFC]);
            a.mov(__qword_ptr[Page + 0xFFE], rbx);
            a.jmp(Page + 0x2FFE);
        });
        m.ChangePage(Page + 0x1000, _ => (GuestLayout.HighMemory + 0x3000) | 7);
        m.ChangePage(Page + 0x3000, _ => (GuestLayout.HighMemory + 0x7000) | 7);
        m.Poke(Page + 0xFFC, 0x4433_2211, 4);
        m.Poke(GuestLayout.HighMemory + 0x3000, 0x8877_6655, 4);
        byte[] code = GuestCode.Assemble(64, Page + 0x2FFE, a =>
        {
            a.mov(ecx, 0x1234_5678);
            a.hlt();
        });
        m.Memory.Write(Page + 0x2FFE, code.AsSpan(0, 2));
        m.Memory.Write(GuestLayout.HighMemory + 0x7000, code.AsSpan(2));
        m[Register.Rbx] = 0x0807_0605_0403_0201;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x8877_6655_4433_2211), (Register.Rcx, 0x1234_5678));
        Verify.Equal(m.Peek(Page + 0xFFE, 2), 0x0201UL, "The first half of the store");
        Verify.Equal(m.Peek(GuestLayout.HighMemory + 0x3000, 6), 0x0807_0605_0403UL, "The second half of the store");
    }

    private static void SplitFault(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.mov(__qword_ptr[Page + 0xFFB], rax));
        m[Register.Rax] = ulong.MaxValue;
        m.ChangePage(Page + 0x1000, e => e & ~Write);
        (ExceptionFrame frame, ulong address) = Fault(m);
        Verify.Equal(frame.ErrorCode, 3U, "Error code");
        Verify.Equal(address, Page + 0x1000, "CR2");
        Verify.Equal(m.Peek(Page + 0xFFB), 0UL, "Memory on both pages");
    }

    private static void MendAndResume(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.add(__dword_ptr[Page], 5);
            a.hlt();
        });
        m.Assemble(64, GuestLayout.HighMemory, a =>
        {
            a.bts(__dword_ptr[rsi], 0);
            a.add(rsp, 8);
            a.iretq();
        });
        m.SetHandler(14, GuestLayout.HighMemory);
        m.ChangePage(Page, e => e & ~1UL);
        m.Poke(Page, 37, 4);
        m[Register.Rsi] = m.PageEntryAddress(Page);
        m.RunToHalt();
        Verify.Equal(m.Peek(Page, 4), 42UL, "Memory: added once");
        m.VerifyRegisters((Register.Rsp, GuestLayout.StackTop));
    }

    private static void StackFault(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.push(rax));
        m.SetHandler(14, GuestLayout.Stubs + (14 * 16), stack: 1);
        m.ChangePage(Page, e => e & ~1UL);
        m[Register.Rsp] = Page + 0x20;
        (ExceptionFrame frame, ulong address) = Fault(m);
        Verify.Equal(frame.Rsp, Page + 0x20, "RSP saved");
        Verify.Equal(frame.ErrorCode, 2U, "Error code");
        Verify.Equal(address, Page + 0x18, "CR2");
    }
}
