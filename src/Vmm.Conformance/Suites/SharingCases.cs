using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Changes of code and of the address space while two processors run.</summary>
internal static class SharingCases
{
    private const ulong Function = GuestLayout.HighMemory;
    private const ulong Said = GuestLayout.Data + 0x100, Turn = GuestLayout.Data + 0x180, Ready = GuestLayout.Data + 0x200;
    private const byte Vector = 0x62;

    public static ConformanceCase[] All =>
    [
        new("sharing.code_rewritten", "Code that one processor rewrites, another that ran it runs as rewritten once it is told and serializes",
            "SDM Vol. 3A 9.1.3", c => CodeRewritten(c, false)) { Requires = [Capability.MultipleProcessors] },
        new("sharing.code_rewritten_ipi", "Code that one processor rewrites, another runs as rewritten after an interrupt between them",
            "SDM Vol. 3A 9.1.3, 9.3", c => CodeRewritten(c, true)) { Requires = [Capability.MultipleProcessors, Capability.LocalApic] },
        new("sharing.remapped_under_two", "Memory that was replaced is not touched any more by any processor once Map has returned",
            "contract 3: visible to every vCPU before the call returns", RemappedUnderTwo) { Requires = [Capability.MultipleProcessors] },
        new("sharing.protected_under_two", "A page that was protected takes no write of any processor once Protect has returned",
            "contract 3: visible to every vCPU before the call returns", ProtectedUnderTwo) { Requires = [Capability.MultipleProcessors] },
        new("sharing.dirty_under_two", "No write of two processors is missing from the dirty pages", "contract 3: dirty tracking", DirtyUnderTwo)
        {
            Requires = [Capability.MultipleProcessors, Capability.DirtyTracking],
        },
        new("sharing.invlpg_is_local", "After INVLPG on each of them, both processors use a changed translation", "SDM Vol. 3A 4.10.5", InvlpgEach)
        {
            Requires = [Capability.MultipleProcessors],
        },
    ];

    private static void Await(Assembler a, ulong address, AssemblerRegister32 value)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.pause();
        a.cmp(__dword_ptr[address], value);
        a.jne(again);
    }

    private static void CodeRewritten(ConformanceContext c, bool interrupt)
    {
        const int Rounds = 200;
        GuestCrew crew = new(c, 2, GuestMode.Protected32, interrupt ? LocalApicMode.XApic : LocalApicMode.None, (a, index) =>
        {
            Label again = a.CreateLabel();
            a.mov(edi, 1);
            if (index == 0)
                Await(a, Ready, edi);
            else
                a.mov(__dword_ptr[Ready], edi);
            a.Label(ref again);
            a.nop();
            if (index == 0)
            {
                a.mov(__dword_ptr[Function + 1], edi);
                if (interrupt)
                {
                    a.mov(__dword_ptr[ebx + 0x310], 1 << 24);
                    a.mov(__dword_ptr[ebx + 0x300], 0x4000 | Vector);
                }
                else
                {
                    a.mov(__dword_ptr[Turn], edi);
                }
                Await(a, Said + 4, edi);
                a.mov(eax, __dword_ptr[Said]);
                a.sub(eax, edi);
                a.neg(eax);
                a.adc(esi, 0); // CF: they differ
            }
            else
            {
                if (interrupt)
                    a.sti();
                Await(a, Turn, edi);
                if (interrupt)
                {
                    a.cli();
                }
                else
                {
                    a.push(ebx);
                    a.cpuid();
                    a.pop(ebx);
                }
                a.call(Function);
                a.mov(__dword_ptr[Said], eax);
                a.mov(__dword_ptr[Said + 4], edi);
            }
            a.inc(edi);
            a.cmp(edi, Rounds + 1);
            a.jne(again);
            AtomicCases.Mark(a);
        });
        crew.Machine.Assemble(32, Function, a =>
        {
            a.mov(eax, 0x1234);
            a.ret();
        });
        crew.Machine.Assemble(32, Function + 0x2000, a =>
        {
            a.inc(__dword_ptr[Turn]);
            a.mov(__dword_ptr[ebx + 0xB0], 0);
            a.iretd();
        });
        crew.Machine.SetHandler(Vector, Function + 0x2000);
        crew.RunAll();
        Verify.Equal(crew.Processor(0)[Register.Rsi], 0UL, "Rounds in which old code was run");
    }

    /// <summary>Each processor counts in a cell of its own in one page, without end.</summary>
    private static (GuestCrew Crew, GuestThread[] Runners, VpExit[] Exits) Counting(ConformanceContext c)
    {
        GuestCrew crew = new(c, 2, GuestMode.Protected32, LocalApicMode.None, (a, index) =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.inc(__dword_ptr[GuestLayout.HighMemory + ((ulong)index * 64)]);
            a.jmp(again);
        });
        VpExit[] exits = new VpExit[2];
        GuestThread[] runners = [crew.Start(0, exit => exits[0] = exit), crew.Start(1, exit => exits[1] = exit)];
        return (crew, runners, exits);
    }

    private static uint Count(GuestMemory memory, ulong offset, int index)
    {
        Span<byte> bytes = stackalloc byte[4];
        memory.Read(offset + ((ulong)index * 64), bytes);
        return BitConverter.ToUInt32(bytes);
    }

    private static void AwaitProgress(GuestMemory memory, ulong offset)
    {
        for (int index = 0; index < 2; index++)
        {
            uint first = Count(memory, offset, index);
            long end = Environment.TickCount64 + 5000;
            while (Count(memory, offset, index) == first)
            {
                if (Environment.TickCount64 > end)
                    Verify.Fail($"Processor {index} stands still.");
                Thread.Yield();
            }
        }
    }

    private static void Stop(GuestCrew crew, GuestThread[] runners, VpExit[] exits)
    {
        for (int i = 0; i < 2; i++)
        {
            Verify.True(!runners[i].Ended, $"Processor {i} runs on ({exits[i]})");
            crew.Processor(i).Cancel();
            runners[i].Join($"Processor {i} after its cancel");
            Verify.Equal(exits[i].Kind, ExitKind.Cancelled, $"Exit of processor {i}");
        }
    }

    private static void RemappedUnderTwo(ConformanceContext c)
    {
        (GuestCrew crew, GuestThread[] runners, VpExit[] exits) = Counting(c);
        using GuestMemory pages = crew.Machine.Partition.AllocateMemory(0x2000);
        (GuestMemory Memory, ulong Offset) before = (crew.Machine.Ram, GuestLayout.HighMemory);
        for (int round = 0; round < 15; round++)
        {
            ulong now = (ulong)(round & 1) * 0x1000;
            crew.Machine.Memory.Map(GuestLayout.HighMemory, pages, now, 0x1000, GuestAccess.All, replace: true);
            uint[] still = [Count(before.Memory, before.Offset, 0), Count(before.Memory, before.Offset, 1)];
            Thread.Sleep(1);
            VerifyStill();
            AwaitProgress(pages, now);
            VerifyStill();
            before = (pages, now);

            void VerifyStill()
            {
                for (int i = 0; i < 2; i++)
                    Verify.Equal(Count(before.Memory, before.Offset, i), still[i], $"What processor {i} counted in memory that is mapped no more");
            }
        }
        Stop(crew, runners, exits);
    }

    private static void ProtectedUnderTwo(ConformanceContext c)
    {
        (GuestCrew crew, GuestThread[] runners, VpExit[] exits) = Counting(c);
        AwaitProgress(crew.Machine.Ram, GuestLayout.HighMemory);
        crew.Machine.Memory.Protect(GuestLayout.HighMemory, 0x1000, GuestAccess.Read | GuestAccess.Execute);
        uint[] still = [Count(crew.Machine.Ram, GuestLayout.HighMemory, 0), Count(crew.Machine.Ram, GuestLayout.HighMemory, 1)];
        for (int i = 0; i < 2; i++)
        {
            runners[i].Join($"Processor {i} at the protected page");
            Verify.Equal(exits[i].Kind, ExitKind.SlatViolation, $"Exit of processor {i}");
            Verify.Equal(exits[i].SlatViolation.Address, GuestLayout.HighMemory + ((ulong)i * 64), $"Address that processor {i} wrote to");
            Verify.Equal(Count(crew.Machine.Ram, GuestLayout.HighMemory, i), still[i], $"What processor {i} counted in the protected page");
        }
    }

    private static void DirtyUnderTwo(ConformanceContext c)
    {
        const int Pages = 64;
        GuestCrew crew = new(c, 2, GuestMode.Protected32, LocalApicMode.None, (a, index) =>
        {
            Label again = a.CreateLabel();
            a.mov(esi, (int)GuestLayout.HighMemory + (index * 8));
            a.mov(ecx, Pages * 20);
            a.Label(ref again);
            a.inc(__dword_ptr[esi]);
            a.add(esi, 0x1000);
            a.mov(eax, esi);
            a.and(eax, 0x3_FFFF);
            a.lea(esi, __dword_ptr[eax + (int)GuestLayout.HighMemory]);
            a.dec(ecx);
            a.jne(again);
            AtomicCases.Mark(a);
        });
        GuestMachine m = crew.Machine;
        m.Memory.TrackDirty(GuestLayout.HighMemory, Pages * 0x1000, true);
        byte[] copy = new byte[Pages * 0x1000]; // follows the memory by its dirty pages alone
        crew.Start(0);
        crew.Start(1);
        ulong[] dirty = new ulong[1];
        for (int round = 0; round < 20; round++)
            Follow();
        crew.JoinAll();
        Follow();
        byte[] now = m.PeekBytes(GuestLayout.HighMemory, copy.Length);
        for (int i = 0; i < Pages; i++)
        {
            for (int cell = 0; cell < 16; cell += 8)
            {
                Verify.Equal(BitConverter.ToUInt32(copy, (i * 0x1000) + cell), BitConverter.ToUInt32(now, (i * 0x1000) + cell),
                    $"Page {i} of the copy");
            }
        }

        void Follow()
        {
            m.Memory.GetAndClearDirty(GuestLayout.HighMemory, Pages * 0x1000, dirty);
            for (int i = 0; i < Pages; i++)
            {
                if ((dirty[0] >> i & 1) != 0)
                    m.Memory.Read(GuestLayout.HighMemory + ((ulong)i * 0x1000), copy.AsSpan(i * 0x1000, 0x1000));
            }
        }
    }

    private static void InvlpgEach(ConformanceContext c)
    {
        const ulong Page = GuestLayout.HighMemory;
        const ulong Entry = GuestLayout.LongTables + 0x3000 + ((Page >> 12) * 8);
        // Processor 0 changes the entry and tells; processor 1 answers once it has dropped its translation, as in a TLB shoot-down.
        GuestCrew crew = new(c, 2, GuestMode.Long, LocalApicMode.None, (a, index) =>
        {
            Label again = a.CreateLabel();
            a.mov(edi, 1);
            a.Label(ref again);
            if (index == 0)
            {
                a.mov(eax, edi);
                a.and(eax, 1);
                a.shl(eax, 12);
                a.lea(eax, __dword_ptr[rax + (int)Page + 7]);
                a.mov(__qword_ptr[Entry], rax);
                a.invlpg(__byte_ptr[Page]);
                a.mov(__dword_ptr[Turn], edi);
                Await(a, Said + 4, edi);
            }
            else
            {
                a.mov(eax, __dword_ptr[Page]); // has the old translation
                Await(a, Turn, edi);
                a.invlpg(__byte_ptr[Page]);
            }
            Label right = a.CreateLabel();
            a.mov(eax, __dword_ptr[Page]);
            a.mov(edx, edi);
            a.and(edx, 1);
            a.cmp(eax, edx);
            a.je(right);
            a.inc(esi);
            a.Label(ref right);
            if (index == 1)
                a.mov(__dword_ptr[Said + 4], edi);
            a.inc(edi);
            a.cmp(edi, 500);
            a.jne(again);
            AtomicCases.Mark(a);
        });
        crew.Machine.Poke(Page, 0, 4);
        crew.Machine.Poke(Page + 0x1000, 1, 4);
        crew.RunAll();
        for (int i = 0; i < 2; i++)
            Verify.Equal(crew.Processor(i)[Register.Rsi], 0UL, $"Times that processor {i} read through an old translation");
    }
}
