using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Locked instructions of two processors on the same memory.</summary>
internal static class AtomicCases
{
    private const int Rounds = 20_000;
    private const int WideRounds = 6_000; // where each one leaves the processor they take a tenth of a millisecond
    private const ulong Cell = GuestLayout.Data + 0x100;
    private const ulong Ready = GuestLayout.Data;

    public static ConformanceCase[] All =>
    [
        Case("atomics.inc", "LOCK INC of every size loses no count", "SDM Vol. 3A 9.1.2.2", Increments),
        Case("atomics.xadd", "LOCK XADD hands out each number once", "SDM Vol. 2D XADD", Tickets),
        Case("atomics.xchg_lock", "XCHG without a prefix is enough for a lock", "SDM Vol. 3A 9.1.2.1", c => Guarded(c, a =>
        {
            a.mov(eax, 1);
            a.xchg(__dword_ptr[Cell], eax);
            a.test(eax, eax);
        })),
        Case("atomics.bts_lock", "LOCK BTS is enough for a lock", "SDM Vol. 3A 9.1.2.2", c => Guarded(c, a =>
        {
            a.@lock.bts(__dword_ptr[Cell], 0);
            a.sbb(eax, eax);
            a.test(eax, eax);
        })),
        Case("atomics.fenced_lock", "A lock made of plain stores, plain loads and MFENCE excludes (Peterson's)", "SDM Vol. 3A 9.2.3.4, 9.2.5", FencedLock),
        Case("atomics.cmpxchg", "LOCK CMPXCHG loses no count", "SDM Vol. 2A CMPXCHG", c => Loop(c, Cell, a =>
        {
            Label again = a.CreateLabel();
            a.mov(eax, __dword_ptr[Cell]);
            a.Label(ref again);
            a.lea(edx, __dword_ptr[rax + 1]);
            a.@lock.cmpxchg(__dword_ptr[Cell], edx);
            a.jne(again);
        })),
        Case("atomics.cmpxchg8b", "LOCK CMPXCHG8B loses no count", "SDM Vol. 2A CMPXCHG8B", c => Loop(c, Cell, a =>
        {
            Label again = a.CreateLabel();
            a.mov(eax, __dword_ptr[Cell]);
            a.mov(edx, __dword_ptr[Cell + 4]);
            a.Label(ref again);
            a.lea(ebx, __dword_ptr[rax + 1]);
            a.mov(ecx, edx);
            a.@lock.cmpxchg8b(__qword_ptr[Cell]);
            a.jne(again);
        })),
        Case("atomics.cmpxchg16b", "LOCK CMPXCHG16B counts both halves alike", "SDM Vol. 2A CMPXCHG16B", Wide),
        Case("atomics.cmpxchg16b_and_store", "LOCK CMPXCHG16B undoes no plain store of another processor to half of its operand",
            "SDM Vol. 3A 9.1.2: the locked operation is atomic with respect to all other memory operations", WideAndStore),
        Case("atomics.line_crossing", "A locked access that crosses cache lines is atomic", "SDM Vol. 3A 9.1.2.2", c => Crossing(c, Cell + 0x3D)),
        Case("atomics.page_crossing", "A locked access that crosses pages is atomic", "SDM Vol. 3A 9.1.2.2", c => Crossing(c, GuestLayout.Data + 0x1FFD)),
        Case("atomics.plain_whole", "A plain aligned access of 8 bytes is never seen in parts", "SDM Vol. 3A 9.1.1", PlainWhole),
        Case("atomics.table_flags", "Accessed and dirty flags set for one processor undo no change of the entry by another", "SDM Vol. 3A 4.8", TableFlags),
    ];

    private static ConformanceCase Case(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.MultipleProcessors] };

    internal static void Mark(Assembler a) => a.@out((byte)GuestLayout.MarkPort, al);

    /// <summary>Two processors in 64-bit mode that begin together.</summary>
    internal static GuestCrew Pair(ConformanceContext c, Action<Assembler, int> build) => new(c, 2, GuestMode.Long, LocalApicMode.None, (a, index) =>
    {
        Label wait = a.CreateLabel();
        a.@lock.inc(__dword_ptr[Ready]);
        a.Label(ref wait);
        a.pause();
        a.cmp(__dword_ptr[Ready], 2);
        a.jne(wait);
        build(a, index);
        Mark(a);
    });

    /// <summary>Does something a number of times; EDI and R15 are taken.</summary>
    internal static void Repeat(Assembler a, int count, Action body)
    {
        Label again = a.CreateLabel();
        a.mov(r15d, count);
        a.Label(ref again);
        body();
        a.dec(r15d);
        a.jne(again);
    }

    private static void Loop(ConformanceContext c, ulong cell, Action<Assembler> body, int rounds = Rounds)
    {
        GuestCrew crew = Pair(c, (a, _) => Repeat(a, rounds, () => body(a)));
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(cell, 4), 2UL * (ulong)rounds, "The sum");
    }

    private static void Increments(ConformanceContext c)
    {
        GuestCrew crew = Pair(c, (a, _) => Repeat(a, Rounds, () =>
        {
            a.@lock.inc(__byte_ptr[Cell]);
            a.@lock.inc(__word_ptr[Cell + 8]);
            a.@lock.inc(__dword_ptr[Cell + 16]);
            a.@lock.inc(__qword_ptr[Cell + 24]);
        }));
        crew.RunAll();
        for (int i = 0; i < 4; i++)
        {
            int size = 1 << i;
            ulong mask = size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;
            Verify.Equal(crew.Machine.Peek(Cell + ((ulong)i * 8), size), (2 * Rounds) & mask, $"The sum in {size} bytes");
        }
    }

    private static void Tickets(ConformanceContext c)
    {
        // Each number marks a byte of its own: one that is handed out twice leaves another byte clear.
        GuestCrew crew = Pair(c, (a, _) => Repeat(a, Rounds, () =>
        {
            a.mov(eax, 1);
            a.@lock.xadd(__dword_ptr[Cell], eax);
            a.inc(__byte_ptr[rax + (int)GuestLayout.HighMemory]);
        }));
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell, 4), 2UL * Rounds, "The sum");
        byte[] taken = crew.Machine.PeekBytes(GuestLayout.HighMemory, 2 * Rounds);
        Verify.Equal(Array.FindIndex(taken, count => count != 1), -1, "The first number that was not handed out just once");
    }

    /// <summary>Takes a lock (ZF set = taken), counts without one, and gives the lock back by a plain store.</summary>
    private static void Guarded(ConformanceContext c, Action<Assembler> take) => Loop(c, Cell + 8, a =>
    {
        Label attempt = a.CreateLabel();
        Label taken = a.CreateLabel();
        a.nop();
        a.Label(ref attempt);
        take(a);
        a.je(taken);
        a.pause();
        a.jmp(attempt);
        a.Label(ref taken);
        a.inc(__dword_ptr[Cell + 8]);
        a.mov(__dword_ptr[Cell], 0);
    }, 5000);

    private static void FencedLock(ConformanceContext c)
    {
        GuestCrew crew = Pair(c, (a, index) =>
        {
            ulong mine = Cell + ((ulong)index * 4), other = Cell + ((ulong)(index ^ 1) * 4), turn = Cell + 8;
            Repeat(a, 5000, () =>
            {
                Label wait = a.CreateLabel();
                Label enter = a.CreateLabel();
                a.mov(__dword_ptr[mine], 1);
                a.mov(__dword_ptr[turn], index ^ 1);
                a.mfence();
                a.Label(ref wait);
                a.cmp(__dword_ptr[other], 0);
                a.je(enter);
                a.cmp(__dword_ptr[turn], index);
                a.je(enter);
                a.pause();
                a.jmp(wait);
                a.Label(ref enter);
                a.inc(__dword_ptr[Cell + 16]);
                a.mov(__dword_ptr[mine], 0);
            });
        });
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell + 16, 4), 10_000UL, "What was counted inside the lock");
    }

    private static void Wide(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Ecx & (1 << 13)) != 0, "The processor model has no CMPXCHG16B.");
        GuestCrew crew = Pair(c, (a, _) =>
        {
            a.mov(r14d, (int)Cell);
            Repeat(a, WideRounds, () =>
            {
                Label again = a.CreateLabel();
                Label alike = a.CreateLabel();
                a.xor(eax, eax);
                a.xor(edx, edx);
                a.Label(ref again);
                a.lea(rbx, __qword_ptr[rax + 1]);
                a.lea(rcx, __qword_ptr[rdx + 1]);
                a.@lock.cmpxchg16b(__xmmword_ptr[r14]);
                a.je(alike);
                a.cmp(rax, rdx);
                a.je(again);
                a.inc(__dword_ptr[Cell + 32]); // the halves that were read differ
                a.jmp(again);
                a.Label(ref alike);
            });
        });
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell), 2UL * WideRounds, "The lower half");
        Verify.Equal(crew.Machine.Peek(Cell + 8), 2UL * WideRounds, "The upper half");
        Verify.Equal(crew.Machine.Peek(Cell + 32, 4), 0UL, "Times that the halves differed");
    }

    private static void WideAndStore(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Ecx & (1 << 13)) != 0, "The processor model has no CMPXCHG16B.");
        GuestCrew crew = Pair(c, (a, index) =>
        {
            a.mov(r14d, (int)Cell);
            Repeat(a, Rounds, () =>
            {
                if (index == 0)
                {
                    Label again = a.CreateLabel();
                    a.mov(rax, __qword_ptr[r14]);
                    a.mov(rdx, __qword_ptr[r14 + 8]);
                    a.Label(ref again);
                    a.lea(rbx, __qword_ptr[rax + 1]);
                    a.mov(rcx, rdx);
                    a.@lock.cmpxchg16b(__xmmword_ptr[r14]);
                    a.jne(again);
                    return;
                }
                Label kept = a.CreateLabel();
                a.inc(rax);
                a.mov(__qword_ptr[r14 + 8], rax);
                for (int i = 0; i < 4; i++)
                    a.nop();
                a.cmp(__qword_ptr[r14 + 8], rax);
                a.je(kept);
                a.inc(__dword_ptr[Cell + 32]);
                a.Label(ref kept);
            });
        });
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell + 32, 4), 0UL, "Stores that were undone");
        Verify.Equal(crew.Machine.Peek(Cell), (ulong)Rounds, "The lower half");
    }

    private static void Crossing(ConformanceContext c, ulong cell) => Loop(
        c,
        cell,
        a =>
        {
            a.mov(eax, 1);
            a.@lock.xadd(__dword_ptr[cell], eax);
        },
        2000);

    private static void PlainWhole(ConformanceContext c)
    {
        GuestCrew crew = Pair(c, (a, index) =>
        {
            if (index == 0)
            {
                a.xor(eax, eax);
                Repeat(a, 100_000, () =>
                {
                    a.not(rax);
                    a.mov(__qword_ptr[Cell], rax);
                });
                return;
            }
            Repeat(a, 100_000, () =>
            {
                Label whole = a.CreateLabel();
                a.mov(rax, __qword_ptr[Cell]);
                a.lea(rbx, __qword_ptr[rax + 1]);
                a.cmp(rbx, 1);
                a.jbe(whole);
                a.inc(__dword_ptr[Cell + 32]);
                a.Label(ref whole);
            });
        });
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell + 32, 4), 0UL, "Values that nobody stored");
    }

    private static void TableFlags(ConformanceContext c)
    {
        const ulong Page = GuestLayout.HighMemory;
        const ulong Entry = GuestLayout.LongTables + 0x3000 + ((Page >> 12) * 8);
        GuestCrew crew = Pair(c, (a, index) =>
        {
            if (index == 0)
            {
                // Counts in the bits that are free for software, and clears the flags.
                Repeat(a, 5000, () =>
                {
                    a.@lock.add(__qword_ptr[Entry], 0x200);
                    a.mov(rax, __qword_ptr[Entry]);
                    a.and(eax, 0xE00);
                    a.add(ebx, 0x200);
                    a.and(ebx, 0xE00);
                    a.cmp(eax, ebx);
                    Label kept = a.CreateLabel();
                    a.je(kept);
                    a.inc(__dword_ptr[Cell + 32]);
                    a.mov(ebx, eax);
                    a.Label(ref kept);
                    a.@lock.and(__qword_ptr[Entry], ~(0xE60 ^ 0xE00));
                    a.mov(eax, ebx);
                    a.cmp(eax, 0xE00);
                    Label small = a.CreateLabel();
                    a.jne(small);
                    a.@lock.and(__qword_ptr[Entry], ~0xE00);
                    a.xor(ebx, ebx);
                    a.Label(ref small);
                });
                return;
            }
            Repeat(a, 5000, () =>
            {
                a.invlpg(__byte_ptr[Page]);
                a.mov(__dword_ptr[Page], eax);
            });
        });
        crew.RunAll();
        Verify.Equal(crew.Machine.Peek(Cell + 32, 4), 0UL, "Changes that were undone");
    }
}
