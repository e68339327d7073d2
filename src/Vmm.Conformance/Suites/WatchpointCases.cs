using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Watchpoints of the host's debugger, which the guest does not see.</summary>
internal static class WatchpointCases
{
    private const ulong Code = GuestLayout.Code, Data = GuestLayout.Data;

    public static ConformanceCase[] All =>
    [
        Case("watch.store", "A store to a watched byte exits behind its instruction, neighbours do not", Store),
        Case("watch.access", "A watchpoint for accesses is hit by loads and stores", Access),
        Case("watch.every_store", "Each store of a loop that has run before is hit", EveryStore),
        Case("watch.modes", "Watchpoints work in every mode", Modes),
        Case("watch.split_store", "A store across a page end hits a watchpoint in its second half", SplitStore),
        Case("watch.string", "REP STOS stops behind the element that hit", String),
        Case("watch.push_of_event", "The frame of an exception hits a watchpoint on the stack", PushOfEvent),
        Case("watch.faulting", "An instruction that faults after its access has hit nothing", Faulting),
        Case("watch.invisible", "The guest's debug registers stay its own, and its watchpoints work beside", Invisible),
    ];

    private static ConformanceCase Case(string id, string title, Action<ConformanceContext> body) =>
        new(id, title, "contract, debugging: watchpoints", body) { Requires = [Capability.Watchpoints] };

    private static DebugControl Watch(ulong address, int length, DebugPointKind kind = DebugPointKind.Write) =>
        new() { Points = [new DebugPoint(kind, address, length)] };

    private static void ExpectHit(GuestMachine m, ulong from, int length, GuestAccess access)
    {
        VpExit exit = m.RunTo(ExitKind.Debug);
        Verify.True((exit.Debug.Access & access) != 0 && (exit.Debug.Access & GuestAccess.Execute) == 0, $"What was hit: {exit.Debug}");
        Verify.True(exit.Debug.Address >= from && exit.Debug.Address < from + (ulong)length, $"The address is inside the watchpoint: {exit.Debug}");
    }

    private static void Store(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(esi, (uint)Data);
            a.mov(eax, __dword_ptr[rsi + 8]);
            a.mov(__dword_ptr[rsi + 4], ecx);
            a.mov(__byte_ptr[rsi + 12], cl);
            a.mov(__word_ptr[rsi + 7], cx);
            a.inc(ebx);
            a.hlt();
        });
        m[Register.Rcx] = 0x1234;
        m.Processor.Debugging = Watch(Data + 8, 4);
        ExpectHit(m, Data + 8, 4, GuestAccess.Write);
        Verify.Equal(m.Peek(Data + 7, 2), 0x1234UL, "What was stored");
        m.VerifyRegisters((Register.Rbx, 0));
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void Access(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(esi, (uint)Data);
            a.mov(eax, __dword_ptr[rsi + 8]);
            a.inc(ebx);
            a.mov(__dword_ptr[rsi + 8], ecx);
            a.inc(ebx);
            a.add(__dword_ptr[rsi + 8], 1);
            a.inc(ebx);
            a.hlt();
        });
        m.Poke(Data + 8, 0x77, 4);
        m.Processor.Debugging = Watch(Data + 8, 4, DebugPointKind.Access);
        ExpectHit(m, Data + 8, 4, GuestAccess.ReadWrite);
        m.VerifyRegisters((Register.Rax, 0x77), (Register.Rbx, 0));
        ExpectHit(m, Data + 8, 4, GuestAccess.Write);
        m.VerifyRegisters((Register.Rbx, 1));
        ExpectHit(m, Data + 8, 4, GuestAccess.ReadWrite);
        m.VerifyRegisters((Register.Rbx, 2));
        m.RunToHalt();
    }

    private static void EveryStore(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            Iced.Intel.Label again = a.CreateLabel();
            a.mov(esi, (uint)Data);
            a.mov(ecx, 5);
            a.Label(ref again);
            a.mov(__dword_ptr[rsi], ecx);
            a.mov(__dword_ptr[rsi + 16], ecx);
            a.dec(ecx);
            a.jnz(again);
            a.hlt();
        });
        m.RunToHalt();
        m.Enter(GuestMode.Long);
        m.Processor.Debugging = Watch(Data + 16, 4);
        for (uint value = 5; value >= 1; value--)
        {
            ExpectHit(m, Data + 16, 4, GuestAccess.Write);
            Verify.Equal(m.Peek(Data + 16, 4), (ulong)value, "What was stored");
            m.VerifyRegisters((Register.Rcx, value));
        }
        m.RunToHalt();
    }

    private static void Modes(ConformanceContext c)
    {
        foreach (GuestMode mode in Enum.GetValues<GuestMode>())
        {
            if (mode is GuestMode.Paged32 or GuestMode.Pae && !c.Has(Capability.LegacyPaging))
                continue;
            GuestMachine m = c.Enter(mode, a =>
            {
                a.mov(si, 0x9000);
                if (a.Bitness == 16)
                    a.mov(__word_ptr[si], ax);
                else
                    a.mov(__word_ptr[esi], ax);
                a.inc(bx);
                a.hlt();
            });
            m[Register.Rax] = 0x5AA5;
            m.Processor.Debugging = Watch(0x9000, 2);
            ExpectHit(m, 0x9000, 2, GuestAccess.Write);
            Verify.Equal(m.Peek(0x9000, 2), 0x5AA5UL, $"What was stored in {mode}");
            m.VerifyRegisters((Register.Rbx, 0));
            m.RunToHalt();
        }
    }

    private static void SplitStore(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(esi, (uint)Data + 0xFFE);
            a.mov(__dword_ptr[rsi], ecx);
            a.hlt();
        });
        m[Register.Rcx] = 0x4433_2211;
        m.Processor.Debugging = Watch(Data + 0x1001, 1);
        ExpectHit(m, Data + 0x1001, 1, GuestAccess.Write);
        Verify.Equal(m.Peek(Data + 0xFFE, 4), 0x4433_2211UL, "What was stored");
        m.RunToHalt();
    }

    private static void String(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(edi, (uint)Data);
            a.mov(ecx, 0x100);
            a.mov(al, 0x5A);
            a.cld();
            a.rep.stosb();
            a.inc(ebx);
            a.hlt();
        });
        m.Processor.Debugging = Watch(Data + 0x80, 1);
        ExpectHit(m, Data + 0x80, 1, GuestAccess.Write);
        Verify.Equal(m.Peek(Data + 0x80, 1), 0x5AUL, "The element that hit");
        Verify.Equal(m[Register.Rdi] + m[Register.Rcx], Data + 0x100, "RDI and RCX are of the same element");
        Verify.True(m[Register.Rdi] > Data + 0x80, "The element is counted");
        m.VerifyRegisters((Register.Rbx, 0));
        m.RunToHalt();
        Verify.Equal(m.Peek(Data + 0xFF, 1), 0x5AUL, "The last element");
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rcx, 0));
    }

    private static void PushOfEvent(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.ud2());
        m.SetHandler(6, Code + 0x80);
        m.Assemble(64, Code + 0x80, a => a.hlt());
        m.Processor.Debugging = Watch(GuestMachine.StackTop(GuestMode.Long) - 8, 8);
        ExpectHit(m, GuestMachine.StackTop(GuestMode.Long) - 8, 8, GuestAccess.Write);
        m.VerifyRegisters((Register.Rip, Code + 0x80));
        m.RunToHalt();
    }

    private static void Faulting(ConformanceContext c)
    {
        // The load hits; the store that the same instruction makes then faults.
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(esi, (uint)Data);
            a.mov(rdi, 0x4000_0000_0000L);
            a.movsb();
        });
        m.Processor.Debugging = Watch(Data, 1, DebugPointKind.Access);
        Verify.Equal(m.RunToException(14).Rip, Code + 15, "RIP of the instruction that faults");
    }

    private static void Invisible(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(esi, (uint)Data);
            a.mov(__dword_ptr[rsi], eax);
            a.mov(__dword_ptr[rsi + 8], eax);
            a.mov(rbx, dr7);
            a.mov(rcx, dr6);
            a.hlt();
        });
        m.Processor.Debugging = Watch(Data, 4);
        m[Register.Dr1] = Data + 8;
        m[Register.Dr7] = 0x400 | 0b1000 | (0b1101UL << 20); // DR1, four-byte writes, global
        ExpectHit(m, Data, 4, GuestAccess.Write);
        m.RunToException(1);
        m[Register.Dr6] = 0xFFFF_0FF0;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 0x400 | 0b1000 | (0b1101UL << 20)), (Register.Rcx, 0xFFFF_0FF0));
    }
}
