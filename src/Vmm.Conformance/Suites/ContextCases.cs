using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>
/// Global pages and process-context identifiers: what a processor may keep is its own choice, so these say what it must forget, and what
/// is refused.
/// </summary>
internal static class ContextCases
{
    private const ulong Page = GuestLayout.Data, Global = 1 << 8, Changed = GuestLayout.HighMemory;

    public static ConformanceCase[] All =>
    [
        new("paging.invlpg_global", "INVLPG forgets a global translation", "SDM Vol. 3A 4.10.4.1", InvlpgGlobal),
        new("paging.pge_toggled", "A change of CR4.PGE forgets global translations", "SDM Vol. 3A 4.10.4.1", PgeToggled),
        new("paging.pcid_rules", "CR4.PCIDE needs PCID 0, and paging cannot be left with it", "SDM Vol. 3A 4.10.1, Vol. 2 MOV CR", PcidRules),
        new("paging.pcid_reload", "A load of CR3 without bit 63 forgets its PCID's translations, and bit 63 is not stored", "SDM Vol. 3A 4.10.4.1",
            PcidReload),
        new("paging.pcid_apart", "Translations of one PCID are not used under another", "SDM Vol. 3A 4.10.2.2", PcidApart),
        new("paging.invpcid", "INVPCID of every type makes a changed entry count, and refuses what is reserved", "SDM Vol. 2A INVPCID", Invpcid),
        new("privilege.umip", "UMIP keeps SGDT, SIDT, SLDT, STR and SMSW from level 3", "SDM Vol. 3A 2.5: CR4.UMIP", Umip),
    ];

    // A page is read, its entry changed, something done, and the page read again.
    private static void Changes(ConformanceContext c, string what, bool global, Action<Assembler> prepare, Action<Assembler> act)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            prepare(a);
            a.mov(eax, __dword_ptr[Page]);
            a.mov(__qword_ptr[rsi], rdi);
            act(a);
            a.mov(ebx, __dword_ptr[Page]);
            a.hlt();
        });
        if (global)
            m.ChangePage(Page, e => e | Global);
        m.Poke(Page, 0x11, 4);
        m.Poke(Changed, 0x22, 4);
        m[Register.Rsi] = m.PageEntryAddress(Page);
        m[Register.Rdi] = Changed | 7 | (global ? Global : 0);
        m.RunToHalt();
        Verify.Equal(m[Register.Rbx], 0x22UL, $"{what}: what is read after the change");
    }

    private static void ToggleCr4(Assembler a, int bit)
    {
        a.mov(rcx, cr4);
        a.xor(ecx, 1 << bit);
        a.mov(cr4, rcx);
    }

    private static void InvlpgGlobal(ConformanceContext c) =>
        Changes(c, "INVLPG", true, a => ToggleCr4(a, 7), a => a.invlpg(__byte_ptr[Page + 8]));

    private static void PgeToggled(ConformanceContext c) => Changes(c, "PGE", true, a => ToggleCr4(a, 7), a => ToggleCr4(a, 7));

    private static void NeedPcid(ConformanceContext c) =>
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Ecx & (1 << 17)) != 0, "The processor model has no PCID.");

    private static void PcidRules(ConformanceContext c)
    {
        NeedPcid(c);
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rcx, cr3);
            a.or(rcx, 8);
            a.mov(cr3, rcx);
            ToggleCr4(a, 17);
        });
        m.RunToException(13);
        m = c.Enter(GuestMode.Long, a =>
        {
            ToggleCr4(a, 17);
            a.mov(rax, cr0);
            a.btr(rax, 31);
            a.mov(cr0, rax);
        });
        m.RunToException(13);
        m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rcx, cr3);
            a.bts(rcx, 63);
            a.mov(cr3, rcx); // without PCIDE
        });
        m.RunToException(13);
    }

    private static void PcidReload(ConformanceContext c)
    {
        NeedPcid(c);
        Changes(c, "CR3", false, a => ToggleCr4(a, 17), a =>
        {
            a.mov(rcx, cr3);
            a.mov(cr3, rcx);
        });
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            ToggleCr4(a, 17);
            a.mov(rcx, cr3);
            a.or(rcx, 5);
            a.bts(rcx, 63);
            a.mov(cr3, rcx);
            a.mov(rax, cr3);
            a.hlt();
        });
        ulong root = m[Register.Cr3];
        m.RunToHalt();
        Verify.Equal(m[Register.Rax], root | 5, "CR3");
    }

    private static void PcidApart(ConformanceContext c)
    {
        NeedPcid(c);
        Changes(c, "Another PCID", false, a => ToggleCr4(a, 17), a =>
        {
            a.mov(rcx, cr3);
            a.or(rcx, 5);
            a.mov(cr3, rcx);
        });
    }

    private static void Invpcid(ConformanceContext c)
    {
        NeedPcid(c);
        ConformanceContext.SkipUnless(c.GuestCpuid(0).Eax >= 7 && (c.GuestCpuid(7).Ebx & (1 << 10)) != 0, "The processor model has no INVPCID.");
        const ulong descriptor = Page + 0x1000;
        for (uint type = 0; type <= 3; type++)
        {
            Changes(c, $"Type {type}", type == 2, a =>
            {
                ToggleCr4(a, 7);
                a.mov(rcx, Page);
                a.mov(__qword_ptr[descriptor + 8], rcx);
            }, a =>
            {
                a.mov(edx, type);
                a.invpcid(rdx, __xmmword_ptr[descriptor]);
            });
        }
        foreach ((uint type, ulong pcid, ulong address) in ((uint, ulong, ulong)[])[(4, 0, 0), (0, 0x1000, 0), (1, 1, 0), (0, 0, 1UL << 60)])
        {
            GuestMachine m = c.Enter(GuestMode.Long, a =>
            {
                a.mov(edx, type);
                a.invpcid(rdx, __xmmword_ptr[descriptor]);
            });
            m.Poke(descriptor, pcid);
            m.Poke(descriptor + 8, address);
            m.RunToException(13);
        }
        c.Enter(GuestMode.Long, a => a.invpcid(rdx, __xmmword_ptr[descriptor]), user: true).RunToException(13);
    }

    private static void Umip(ConformanceContext c)
    {
        ConformanceContext.SkipUnless(c.GuestCpuid(0).Eax >= 7 && (c.GuestCpuid(7).Ecx & (1 << 2)) != 0, "The processor model has no UMIP.");
        Action<Assembler>[] instructions =
        [
            a => a.sgdt(__[Page]), a => a.sidt(__[Page]), a => a.sldt(eax), a => a.str(eax), a => a.smsw(eax),
        ];
        foreach (Action<Assembler> instruction in instructions)
        {
            GuestMachine m = c.Enter(GuestMode.Long, instruction, user: true);
            m[Register.Cr4] |= 1 << 11;
            m.RunToException(13);
            m = c.Enter(GuestMode.Long, a =>
            {
                instruction(a);
                a.hlt();
            });
            m[Register.Cr4] |= 1 << 11;
            m.RunToHalt();
        }
    }
}
