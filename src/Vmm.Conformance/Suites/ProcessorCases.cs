using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Several processors: how they start, and what INIT leaves of them.</summary>
internal static class ProcessorCases
{
    /// <summary>Where a start-up interrupt with this vector lets a processor begin.</summary>
    private const byte StartPage = 0x19;
    private const ulong StartAddress = (ulong)StartPage << 12;
    private const uint CommandInit = 0x4500, CommandStartup = 0x4600;

    public static ConformanceCase[] All =>
    [
        new("processors.without_apic_run", "Without local APICs every processor starts in the power-on state and runs by itself",
            "SDM Vol. 3A table 10-1; contract 4", WithoutApicRun) { Requires = [Capability.MultipleProcessors] },
        Case("processors.wait_for_sipi", "An application processor waits inside Run after power-on, and a cancel ends that",
            "SDM Vol. 3A 9.4.3; contract 4: Cancel", WaitForSipi),
        Case("processors.apic_at_power_on", "Each processor has an identifier of its own, and the first alone is the bootstrap processor",
            "SDM Vol. 3A 11.4.4, 11.4.6", ApicAtPowerOn),
        Case("processors.init_sipi", "INIT and a start-up interrupt start a processor in real mode at the vector's page",
            "SDM Vol. 3A 9.4.3, 9.4.4", InitSipi),
        Case("processors.init_keeps", "INIT resets a running processor, but not its vector registers and its CR0.CD and NW",
            "SDM Vol. 3A table 10-1", InitKeeps),
        Case("processors.sipi_ignored", "A processor that runs takes no notice of a start-up interrupt", "SDM Vol. 3A 9.4.4", SipiIgnored),
        Case("processors.cancel_one", "A cancel of one processor leaves the other running", "contract 4: Cancel", CancelOne),
        Case("processors.pause_all", "Pause stops every processor, Resume lets every one go on", "contract 2: Pause", PauseAll),
        Case("processors.dispose_all", "Dispose stops every processor, waiting and running ones, and returns",
            "contract 2: Dispose while a vCPU runs", DisposeAll),
    ];

    private static ConformanceCase Case(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.MultipleProcessors, Capability.LocalApic] };

    private static GuestCrew Crew(ConformanceContext c, int count, Action<Assembler, int> build) =>
        new(c, count, GuestMode.Protected32, LocalApicMode.XApic, build);

    private static void Mark(Assembler a) => a.@out((byte)GuestLayout.MarkPort, al);

    private static void WithoutApicRun(ConformanceContext c)
    {
        IPartition partition = c.CreatePartition(o => o with { ProcessorCount = 2 });
        using GuestMemory rom = partition.AllocateMemory(0x1_0000);
        byte[] code = GuestCode.Assemble(16, 0xFFF0, a =>
        {
            a.inc(cx);
            a.hlt();
        });
        rom.Write(0xFFF0, code);
        partition.Memory.Map(0xFFFF_0000, rom, 0, 0x1_0000, GuestAccess.All);
        foreach (IVirtualProcessor processor in partition.Processors)
        {
            Verify.Equal(processor.Run().Kind, ExitKind.Halt, $"Exit of processor {processor.Index}");
            Verify.Equal(processor[Register.Rcx], 1UL, $"CX of processor {processor.Index}");
        }
    }

    private static void WaitForSipi(ConformanceContext c)
    {
        IPartition partition = c.CreatePartition(o => o with { ProcessorCount = 2, LocalApic = LocalApicMode.XApic });
        IVirtualProcessor second = partition.Processors[1];
        if (c.Has(Capability.EventState))
        {
            second.GetState(RegisterGroups.Events, out ProcessorState state);
            Verify.Equal(state.Events.Activity, ProcessorActivity.WaitForSipi, "Activity at power-on");
        }
        VpExit exit = default;
        GuestThread runner = c.Start("processor 1", () => exit = second.Run());
        Thread.Sleep(20);
        Verify.True(!runner.Ended, $"Run waits ({exit})");
        second.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
        Verify.Equal(second[Register.Rip], 0xFFF0UL, "RIP: nothing was run");
    }

    private static void ApicAtPowerOn(ConformanceContext c)
    {
        GuestCrew crew = new(c, 3, GuestMode.Protected32, LocalApicMode.XApic, (a, _) =>
        {
            a.mov(esi, __dword_ptr[ebx + 0x20]);
            a.mov(ecx, 0x1B);
            a.rdmsr();
            a.mov(edi, eax);
            Mark(a);
        });
        crew.RunAll();
        for (int i = 0; i < 3; i++)
        {
            Verify.Equal(crew.Processor(i)[Register.Rsi] >> 24, (ulong)i, $"Identifier of processor {i}");
            Verify.Equal(crew.Processor(i)[Register.Rdi], GuestCrew.ApicPage | 0x800UL | (i == 0 ? 0x100UL : 0), $"APIC base of processor {i}");
        }
    }

    /// <summary>Sends INIT and a start-up interrupt to processor 1; EBX is on the APIC's page.</summary>
    private static void SendStart(Assembler a)
    {
        a.mov(__dword_ptr[ebx + 0x310], 1 << 24);
        a.mov(__dword_ptr[ebx + 0x300], CommandInit);
        a.mov(__dword_ptr[ebx + 0x300], CommandStartup | StartPage);
    }

    private static void AwaitFlag(Assembler a, ulong address, int value)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.pause();
        a.cmp(__dword_ptr[address], value);
        a.jne(again);
    }

    private static void InitSipi(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine(o => o with { ProcessorCount = 2, LocalApic = LocalApicMode.XApic, InstructionBudget = 0 });
        m.Enter(GuestMode.Protected32, a =>
        {
            a.mov(ebx, GuestCrew.ApicPage);
            a.mov(__dword_ptr[ebx + 0xF0], 0x1FF);
            SendStart(a);
            AwaitFlag(a, GuestLayout.Data, 0x77);
            Mark(a);
        });
        byte[] start = GuestCode.Assemble(16, 0, a =>
        {
            a.mov(cx, cs);
            a.mov(bx, 0x1000);
            a.mov(ds, bx);
            a.mov(__word_ptr[0], 0x77);
            Mark(a);
        });
        m.Memory.Write(StartAddress, start);
        m.Memory.Write(0, start); // one that begins in the wrong place shall be found out, not lost
        IVirtualProcessor second = m.Partition.Processors[1];
        second.GetState(RegisterGroups.General, out ProcessorState before);
        VpExit exit = default;
        GuestThread runner = c.Start("processor 1", () => exit = second.Run());
        m.RunToMark();
        runner.Join("Processor 1");
        Verify.Equal(exit.Kind, ExitKind.PortIo, "Exit of processor 1");
        Verify.Equal(second.CompletePending(out VpExit _), CompletionStatus.Done, "Completion");
        second.GetState(RegisterGroups.Registers, out ProcessorState now);
        Verify.Equal(now.General.Rcx, (ulong)StartPage << 8, "CS as the guest read it");
        Verify.Equal(now.Segments.Cs.Base, StartAddress, "CS base");
        Verify.Equal(now.Segments.Cs.Selector, (ushort)(StartPage << 8), "CS selector");
        Verify.Equal(now.General.Rdx, before.General.Rdx, "EDX: the signature, as at power-on");
        Verify.Equal(now.Control.Cr0 & 0xFFFF_FFFF, 0x6000_0010UL, "CR0");
        Verify.Equal(now.General.Rsp, 0UL, "SP");
    }

    private static void InitKeeps(ConformanceContext c)
    {
        GuestCrew crew = Crew(c, 2, (a, index) =>
        {
            if (index == 0)
            {
                AwaitFlag(a, GuestLayout.Data, 1);
                SendStart(a);
                Mark(a);
                return;
            }
            a.mov(eax, 0x1234_5678);
            a.movd(xmm3, eax);
            a.mov(esi, eax);
            a.mov(cr2, eax);
            a.mov(dr1, eax);
            a.mov(__dword_ptr[ebx + 0x80], 0x20);
            a.mov(__dword_ptr[GuestLayout.Data], 1);
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.jmp(again);
        });
        crew.Machine.Memory.Write(StartAddress, GuestCode.Assemble(16, 0, a => Mark(a)));
        crew.RunAll();
        IVirtualProcessor second = crew.Processor(1);
        second.GetState(RegisterGroups.Registers, out ProcessorState now);
        Verify.Equal(now.General.Rsi, 0UL, "ESI");
        Verify.Equal(now.Control.Cr2, 0UL, "CR2");
        Verify.Equal(now.Debug.Dr1, 0UL, "DR1");
        Verify.Equal(now.Control.Cr8, 0UL, "Task priority");
        Verify.Equal(now.Control.Cr0, 0x10UL, "CR0: CD and NW as they were, clear, all else as after reset");
        Verify.Equal(now.Control.ApicBase, GuestCrew.ApicPage | 0x800UL, "APIC base");
        byte[] area = new byte[second.XsaveSize];
        second.GetXsave(area);
        Verify.Equal(BitConverter.ToUInt32(area, 160 + (3 * 16)), 0x1234_5678u, "XMM3");
    }

    private static void SipiIgnored(ConformanceContext c)
    {
        GuestCrew crew = Crew(c, 2, (a, index) =>
        {
            if (index == 0)
            {
                AwaitFlag(a, GuestLayout.Data, 1);
                a.mov(__dword_ptr[ebx + 0x310], 1 << 24);
                a.mov(__dword_ptr[ebx + 0x300], CommandStartup | StartPage);
                a.mov(__dword_ptr[GuestLayout.Data], 2);
                Mark(a);
                return;
            }
            a.mov(__dword_ptr[GuestLayout.Data], 1);
            AwaitFlag(a, GuestLayout.Data, 2);
            a.mov(esi, 5);
            Mark(a);
        });
        crew.RunAll();
        Verify.Equal(crew.Processor(1)[Register.Rsi], 5UL, "ESI of the processor that went on");
    }

    /// <summary>Each of two processors counts in a dword of its own, without end.</summary>
    private static GuestCrew Counting(ConformanceContext c, int count = 2) => Crew(c, count, (a, index) =>
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.inc(__dword_ptr[GuestLayout.Data + ((ulong)index * 64)]);
        a.jmp(again);
    });

    private static ulong Count(GuestCrew crew, int index) => crew.Machine.Peek(GuestLayout.Data + ((ulong)index * 64), 4);

    private static void AwaitProgress(GuestCrew crew, int index)
    {
        ulong first = Count(crew, index);
        for (int i = 0; i < 5000; i++)
        {
            if (Count(crew, index) != first)
                return;
            Thread.Sleep(1);
        }
        Verify.Fail($"Processor {index} stands still.");
    }

    private static void CancelOne(ConformanceContext c)
    {
        GuestCrew crew = Counting(c);
        VpExit[] exits = new VpExit[2];
        GuestThread first = crew.Start(0, exit => exits[0] = exit);
        GuestThread second = crew.Start(1, exit => exits[1] = exit);
        AwaitProgress(crew, 0);
        AwaitProgress(crew, 1);
        crew.Processor(1).Cancel();
        second.Join("Processor 1 after its cancel");
        Verify.Equal(exits[1].Kind, ExitKind.Cancelled, "Exit of processor 1");
        ulong still = Count(crew, 1);
        AwaitProgress(crew, 0);
        Verify.True(!first.Ended, "Processor 0 runs on");
        Verify.Equal(Count(crew, 1), still, "The count of processor 1 after its cancel");
        crew.Processor(0).Cancel();
        first.Join("Processor 0 after its cancel");
        Verify.Equal(exits[0].Kind, ExitKind.Cancelled, "Exit of processor 0");
    }

    private static void PauseAll(ConformanceContext c)
    {
        GuestCrew crew = Counting(c);
        VpExit[] exits = new VpExit[2];
        GuestThread[] runners = [crew.Start(0, exit => exits[0] = exit), crew.Start(1, exit => exits[1] = exit)];
        for (int round = 0; round < 5; round++)
        {
            AwaitProgress(crew, 0);
            AwaitProgress(crew, 1);
            crew.Machine.Partition.Pause();
            ulong[] counts = [Count(crew, 0), Count(crew, 1)];
            Thread.Sleep(5);
            for (int i = 0; i < 2; i++)
                Verify.Equal(Count(crew, i), counts[i], $"The count of processor {i} while paused");
            crew.Machine.Partition.Resume();
        }
        for (int i = 0; i < 2; i++)
        {
            Verify.True(!runners[i].Ended, $"Run of processor {i} does not return because of a pause");
            crew.Processor(i).Cancel();
            runners[i].Join($"Processor {i} after its cancel");
            Verify.Equal(exits[i].Kind, ExitKind.Cancelled, $"Exit of processor {i}");
        }
    }

    private static void DisposeAll(ConformanceContext c)
    {
        GuestCrew crew = Crew(c, 3, (a, index) =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            if (index == 2)
                a.hlt();
            else
                a.inc(__dword_ptr[GuestLayout.Data + ((ulong)index * 64)]);
            a.jmp(again);
        });
        GuestThread[] runners = [.. Enumerable.Range(0, 3).Select(i => crew.Start(i, _ => { }))];
        AwaitProgress(crew, 0);
        AwaitProgress(crew, 1);
        crew.Machine.Partition.Dispose();
        for (int i = 0; i < 3; i++)
        {
            runners[i].WaitForEnd($"Run of processor {i} after Dispose");
            Verify.True(runners[i].Error is ObjectDisposedException, $"Processor {i} ended with {runners[i].Error?.GetType().Name ?? "an exit"}");
        }
    }
}
