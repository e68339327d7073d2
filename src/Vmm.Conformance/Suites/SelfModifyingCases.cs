using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Code that changes: by the guest, by the host, through other addresses.</summary>
internal static class SelfModifyingCases
{
    private const ulong Page = GuestLayout.Data;

    public static ConformanceCase[] All =>
    [
        new("code.guest_rewrites", "Code that the guest has run and then rewrites is run as rewritten", "SDM Vol. 3A 8.1.3, 11.6",
            GuestRewrites),
        new("code.rewrites_own_page", "A loop that rewrites an operand in its own page sees each new value", "SDM Vol. 3A 11.6",
            RewritesOwnPage),
        new("code.rewrites_through_alias",
            "Code rewritten through another linear address is run as rewritten after a serializing instruction", "SDM Vol. 3A 8.1.3",
            RewritesThroughAlias),
        new("code.string_copy", "Code copied over old code by REP MOVSB is run", "SDM Vol. 3A 11.6", StringCopy),
        new("code.crosses_page", "A change to the second page of an instruction that crosses pages is seen", "SDM Vol. 3A 11.6",
            CrossesPage),
        new("code.host_rewrites", "Code that the host rewrites between runs is run as rewritten",
            "contract 3: Writes through it invalidate decoded code", HostRewrites),
        new("code.host_span", "Code rewritten through a span is run as rewritten after NotifyWritten", "contract 3: NotifyWritten",
            HostSpan),
        new("code.host_while_running", "Code that the host rewrites under a running guest takes effect",
            "contract 3: invalidate decoded code", HostWhileRunning),
        new("code.remapped", "Code in a page that is replaced is run from the new memory", "contract 3: visible before the call returns",
            Remapped),
    ];

    private static GuestMachine Calling(ConformanceContext c, Action<Assembler> between)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.call(Page);
            a.mov(ebx, eax);
            between(a);
            a.call(Page);
            a.hlt();
        });
        Returning(m, Page, 1);
        return m;
    }

    private static void Returning(GuestMachine m, ulong address, int value) => m.Assemble(64, address, a =>
    {
        a.mov(eax, value);
        a.ret();
    });

    private static void GuestRewrites(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a => a.mov(__dword_ptr[Page + 1], 2));
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 2));
    }

    private static void RewritesOwnPage(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            Label again = a.CreateLabel();
            Label next = a.CreateLabel();
            a.mov(ecx, 10);
            a.Label(ref again);
            a.db(0x05, 0, 0, 0, 0); // add eax, 0: its operand is rewritten below
            a.inc(__dword_ptr[GuestLayout.Code + 6]);
            a.jmp(next);
            a.Label(ref next);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        });
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 45));
    }

    private static void RewritesThroughAlias(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a =>
        {
            a.mov(__dword_ptr[Page + 0x1001], 3);
            a.push(rbx);
            a.xor(eax, eax);
            a.cpuid();
            a.pop(rbx);
        });
        m.ChangePage(Page + 0x1000, _ => Page | 7);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 3));
    }

    private static void StringCopy(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a =>
        {
            a.mov(esi, (int)Page + 0x1000);
            a.mov(edi, (int)Page);
            a.mov(ecx, 6);
            a.rep.movsb();
        });
        Returning(m, Page + 0x1000, 77);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 77));
    }

    private static void CrossesPage(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.call(Page + 0xFFE);
            a.mov(ebx, eax);
            a.mov(__byte_ptr[Page + 0x1000], 0x33);
            a.call(Page + 0xFFE);
            a.hlt();
        });
        Returning(m, Page + 0xFFE, 0x1111_1111);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x1111_1111), (Register.Rax, 0x1111_3311));
    }

    private static void HostRewrites(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a => a.@out((byte)GuestLayout.MarkPort, al));
        m.RunToMark();
        Returning(m, Page, 5);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 5));
    }

    private static void HostSpan(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a => a.@out((byte)GuestLayout.MarkPort, al));
        m.RunToMark();
        Verify.True(m.Memory.TryGetSpan(Page, 16, true, out Span<byte> span), "A span");
        span[1] = 6;
        m.Memory.NotifyWritten(Page, 16);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 6));
    }

    private static void HostWhileRunning(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                Label again = a.CreateLabel();
                a.Label(ref again);
                a.inc(__dword_ptr[GuestLayout.Data]);
                a.call(GuestLayout.HighMemory);
                a.cmp(eax, 9);
                a.jne(again);
                a.hlt();
            },
            configure: o => o with { InstructionBudget = 0 });
        Returning(m, GuestLayout.HighMemory, 1);
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        LifecycleCases.WaitUntilRunning(m);
        m.Memory.Write(GuestLayout.HighMemory + 1, [9]);
        runner.Join("The guest after its code was rewritten");
        Verify.Equal(exit.Kind, ExitKind.Halt, "Exit");
    }

    private static void Remapped(ConformanceContext c)
    {
        GuestMachine m = Calling(c, a => a.@out((byte)GuestLayout.MarkPort, al));
        Returning(m, GuestLayout.HighMemory, 8);
        m.RunToMark();
        m.Memory.Map(Page, m.Ram, GuestLayout.HighMemory, 0x1000, GuestAccess.All, replace: true);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rax, 8));
    }
}
