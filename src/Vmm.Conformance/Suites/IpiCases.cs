using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Interrupts between processors, and from devices to each of them.</summary>
internal static class IpiCases
{
    private const byte Vector = 0x61;
    private const int EndOfInterrupt = 0xB0, LogicalDestination = 0xD0, DestinationFormat = 0xE0, Command = 0x300,
        Destination = 0x310;

    /// <summary>One dword for each processor: interrupts taken.</summary>
    private const ulong Taken = GuestLayout.Data + 0x100;

    /// <summary>One dword for each processor: it is ready for interrupts.</summary>
    private const ulong Ready = GuestLayout.Data + 0x200;

    /// <summary>Non-zero when all is over.</summary>
    private const ulong Over = GuestLayout.Data + 0x300;

    public static ConformanceCase[] All =>
    [
        Case("ipi.fixed", "A fixed interrupt reaches the processor it names, also one that is halted", "SDM Vol. 3A 11.6.1, 11.6.2.1", Fixed),
        Case("ipi.nmi", "An NMI reaches the processor it names, though its IF is clear", "SDM Vol. 3A 11.6.1", NonMaskable),
        Case("ipi.others", "The shorthand for all others reaches every processor but the sender", "SDM Vol. 3A 11.6.1",
            c => Sent(c, 3, [0, 1, 1], (a, _) => Store(a, Command, 0xC_4000 | Vector))),
        Case("ipi.all", "The shorthand for all reaches the sender as well", "SDM Vol. 3A 11.6.1",
            c => Sent(c, 3, [1, 1, 1], (a, _) => Store(a, Command, 0x8_4000 | Vector))),
        Case("ipi.broadcast", "Physical destination FFH reaches every processor", "SDM Vol. 3A 11.6.2.1", c => Sent(c, 3, [1, 1, 1], (a, _) =>
        {
            Store(a, Destination, 0xFF00_0000);
            Store(a, Command, 0x4000 | Vector);
        })),
        Case("ipi.self_with_others_running", "The shorthand for the sender reaches it alone", "SDM Vol. 3A 11.6.1",
            c => Sent(c, 2, [1, 0], (a, _) => Store(a, Command, 0x4_4000 | Vector))),
        Case("ipi.logical_flat", "A logical destination in the flat model reaches the processors whose bits it has", "SDM Vol. 3A 11.6.2.2",
            c => Sent(c, 3, [0, 1, 1], (a, _) =>
            {
                Store(a, Destination, 0x0600_0000);
                Store(a, Command, 0x4800 | Vector);
            }, (a, index) => Store(a, LogicalDestination, 1u << (24 + index)))),
        Case("ipi.logical_cluster", "A logical destination in the cluster model reaches processors of the cluster it names", "SDM Vol. 3A 11.6.2.2",
            c => Sent(c, 3, [0, 0, 1], (a, _) =>
            {
                Store(a, Destination, 0x2300_0000);
                Store(a, Command, 0x4800 | Vector);
            }, (a, index) =>
            {
                Store(a, DestinationFormat, 0x0FFF_FFFF);
                Store(a, LogicalDestination, index == 2 ? 0x2100_0000 : 0x1000_0000u | (1u << (24 + index)));
            })),
        Case("ipi.lowest_priority", "A lowest-priority interrupt goes to one processor, to that with the lowest task priority",
            "SDM Vol. 3A 11.6.2.4", c => Sent(c, 3, [0, 0, 1], (a, _) =>
            {
                Store(a, Destination, 0x0700_0000);
                Store(a, Command, 0x4900 | Vector);
            }, (a, index) =>
            {
                Store(a, LogicalDestination, 1u << (24 + index));
                Store(a, 0x80, index == 2 ? 0 : 0x20u);
            })),
        Case("ipi.ping_pong", "Two processors interrupt each other a thousand times, and none is lost", "SDM Vol. 3A 11.6.1, 11.8.4", PingPong),
        Case("ipi.requests", "A device's request reaches whichever processor it names, from any thread", "SDM Vol. 3A 11.11.1; contract 5", Requests),
        Case("ipi.level_eoi_each", "Every level-triggered vector that a guest ends is reported once, also of several ended together",
            "contract 5: EOI exits for level-triggered lines", LevelEoiEach),
        Wide("ipi.x2apic_physical", "In x2APIC mode one write of the command register reaches the processor it names", "SDM Vol. 3A 11.12.9",
            c => SentWide(c, 3, [0, 0, 1], Vector, 2)),
        Wide("ipi.x2apic_logical", "In x2APIC mode the logical identifier follows from the APIC's own", "SDM Vol. 3A 11.12.10.2",
            c => SentWide(c, 3, [0, 1, 1], 0x800 | Vector, 6)),
        Wide("ipi.x2apic_broadcast", "In x2APIC mode destination FFFFFFFFH reaches every processor", "SDM Vol. 3A 11.12.9",
            c => SentWide(c, 3, [1, 1, 1], Vector, uint.MaxValue)),
        Wide("ipi.x2apic_self", "The self-IPI register reaches the sender alone", "SDM Vol. 3A 11.12.11", SelfWide),
    ];

    private static ConformanceCase Case(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.MultipleProcessors, Capability.LocalApic] };

    private static ConformanceCase Wide(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.MultipleProcessors, Capability.LocalApic, Capability.X2Apic] };

    private static void Store(Assembler a, int register, uint value) => a.mov(__dword_ptr[ebx + register], value);

    private static void Mark(Assembler a) => a.@out((byte)GuestLayout.MarkPort, al);

    private static void Await(Assembler a, ulong address, int value)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.pause();
        a.cmp(__dword_ptr[address], value);
        a.jne(again);
    }

    /// <summary>Points the vector at a handler that counts for its processor and ends the interrupt.</summary>
    private static void SetCounter(GuestMachine m, byte vector, Action<Assembler>? end)
    {
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.inc(__dword_ptr[(ebp * 4) + (int)Taken]);
            end?.Invoke(a);
            a.iretd();
        });
        m.SetHandler(vector, GuestLayout.HighMemory);
    }

    /// <summary>
    /// Processor 0 sends once all are ready, waits until all that was expected has come, gives what must not come a little time, and ends
    /// all.
    /// </summary>
    private static void Run(
        ConformanceContext c, LocalApicMode apic, int[] expected, Action<Assembler, int> send, Action<Assembler, int>? prepare,
        Action<Assembler>? end, byte vector = Vector, bool interruptible = true)
    {
        int count = expected.Length;
        GuestCrew crew = new(c, count, GuestMode.Protected32, apic, (a, index) =>
        {
            prepare?.Invoke(a, index);
            if (interruptible)
                a.sti();
            a.mov(__dword_ptr[Ready + ((ulong)index * 4)], 1);
            if (index == 0)
            {
                for (int i = 1; i < count; i++)
                    Await(a, Ready + ((ulong)i * 4), 1);
                send(a, index);
                for (int i = 0; i < count; i++)
                    Await(a, Taken + ((ulong)i * 4), expected[i]);
                Label delay = a.CreateLabel();
                a.mov(ecx, 20_000);
                a.Label(ref delay);
                a.dec(ecx);
                a.jne(delay);
                a.mov(__dword_ptr[Over], 1);
            }
            else
            {
                Await(a, Over, 1);
            }
            a.cli();
            Mark(a);
        });
        SetCounter(crew.Machine, vector, end);
        crew.RunAll();
        for (int i = 0; i < count; i++)
            Verify.Equal(crew.Machine.Peek(Taken + ((ulong)i * 4), 4), (ulong)expected[i], $"Interrupts of processor {i}");
    }

    private static void Sent(
        ConformanceContext c, int count, int[] expected, Action<Assembler, int> send, Action<Assembler, int>? prepare = null) =>
        Run(c, LocalApicMode.XApic, expected[..count], send, prepare, a => Store(a, EndOfInterrupt, 0));

    private static void Fixed(ConformanceContext c)
    {
        GuestCrew crew = new(c, 2, GuestMode.Protected32, LocalApicMode.XApic, (a, index) =>
        {
            if (index == 0)
            {
                Await(a, Ready, 1);
                Store(a, Destination, 1 << 24);
                Store(a, Command, 0x4000 | Vector);
                Await(a, Over, 1);
                Mark(a);
                return;
            }
            a.mov(__dword_ptr[Ready], 1);
            a.sti();
            a.hlt();
            a.mov(esi, __dword_ptr[Taken + 4]);
            a.mov(__dword_ptr[Over], 1);
            Mark(a);
        });
        SetCounter(crew.Machine, Vector, a => Store(a, EndOfInterrupt, 0));
        crew.RunAll();
        Verify.Equal(crew.Processor(1)[Register.Rsi], 1UL, "Interrupts when HLT was over");
        Verify.Equal(crew.Machine.Peek(Taken, 4), 0UL, "Interrupts of the sender");
    }

    private static void NonMaskable(ConformanceContext c) =>
        Run(
            c, LocalApicMode.XApic, [0, 1],
            (a, _) =>
            {
                Store(a, Destination, 1 << 24);
                Store(a, Command, 0x4400);
            },
            null, null, 2, false);

    private static void PingPong(ConformanceContext c)
    {
        const int Rounds = 1000;
        GuestCrew crew = new(c, 2, GuestMode.Protected32, LocalApicMode.XApic, (a, index) =>
        {
            Label again = a.CreateLabel();
            Label wait = a.CreateLabel();
            ulong mine = Taken + ((ulong)index * 4);
            a.sti();
            a.mov(__dword_ptr[Ready + ((ulong)index * 4)], 1);
            Await(a, Ready + ((ulong)(index ^ 1) * 4), 1);
            a.xor(esi, esi);
            a.Label(ref again);
            if (index == 0)
                Send(a, 1);
            a.inc(esi);
            a.Label(ref wait);
            a.pause();
            a.cmp(__dword_ptr[mine], esi);
            a.jne(wait);
            if (index == 1)
                Send(a, 0);
            a.cmp(esi, Rounds);
            a.jne(again);
            Mark(a);
        });
        SetCounter(crew.Machine, Vector, a => Store(a, EndOfInterrupt, 0));
        crew.RunAll(20_000);
        Verify.Equal(crew.Machine.Peek(Taken, 4), (ulong)Rounds, "Interrupts of processor 0");
        Verify.Equal(crew.Machine.Peek(Taken + 4, 4), (ulong)Rounds, "Interrupts of processor 1");

        static void Send(Assembler a, uint to)
        {
            Store(a, Destination, to << 24);
            Store(a, Command, 0x4000 | Vector);
        }
    }

    private static void Requests(ConformanceContext c)
    {
        const int Count = 3, Rounds = 50;
        GuestCrew crew = new(c, Count, GuestMode.Protected32, LocalApicMode.XApic, (a, index) =>
        {
            Label wait = a.CreateLabel();
            a.mov(__dword_ptr[Ready + ((ulong)index * 4)], 1);
            a.Label(ref wait);
            a.sti();
            a.hlt();
            a.cli();
            a.cmp(__dword_ptr[Taken + ((ulong)index * 4)], Rounds);
            a.jne(wait);
            Mark(a);
        });
        SetCounter(crew.Machine, Vector, a => Store(a, EndOfInterrupt, 0));
        for (int i = 0; i < Count; i++)
            crew.Start(i);
        // An interrupt for a local APIC that software has not enabled yet is lost by right.
        for (int i = 0; i < Count; i++)
            AwaitValue(crew, i, Ready, 1, "ready");
        for (int round = 1; round <= Rounds; round++)
        {
            for (uint i = 0; i < Count; i++)
                crew.Machine.Partition.RequestInterrupt(new InterruptRequest { Vector = Vector, Destination = i });
            for (uint i = 0; i < Count; i++)
                AwaitValue(crew, (int)i, Taken, (ulong)round, "interrupts taken");
        }
        crew.JoinAll();
    }

    private static void AwaitValue(GuestCrew crew, int index, ulong counters, ulong wanted, string what)
    {
        SpinWait spin = default;
        long end = Environment.TickCount64 + 5000;
        while (crew.Machine.Peek(counters + ((ulong)index * 4), 4) != wanted)
        {
            if (Environment.TickCount64 > end)
                Verify.Fail($"Processor {index}, {what}: {crew.Machine.Peek(counters + ((ulong)index * 4), 4)} instead of {wanted}.");
            spin.SpinOnce();
        }
    }

    private static void LevelEoiEach(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Protected32,
            a =>
            {
                a.mov(ebx, GuestCrew.ApicPage);
                Store(a, 0xF0, 0x1FF);
                a.sti();
                Mark(a);
                a.nop();
                a.nop();
                a.hlt();
            },
            configure: o => o with { LocalApic = LocalApicMode.XApic, InstructionBudget = 0, ProcessorCount = 2 });
        // The lower one is interrupted by the higher one, and the highest handler ends both in a row.
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.sti();
            a.@out(0x10, al);
            a.nop();
            a.nop();
            a.cli();
            a.iretd();
        });
        m.Assemble(32, GuestLayout.HighMemory + 0x100, a =>
        {
            Store(a, EndOfInterrupt, 0);
            Store(a, EndOfInterrupt, 0);
            Mark(a);
            a.iretd();
        });
        m.SetHandler(0x45, GuestLayout.HighMemory);
        m.SetHandler(0x85, GuestLayout.HighMemory + 0x100);
        m.RunToMark();
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x45, LevelTriggered = true });
        m.RunToPort(0x10);
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x85, LevelTriggered = true });
        List<byte> ended = [];
        VpExit exit = m.Run();
        for (; exit.Kind == ExitKind.ApicEoi; exit = m.Run())
            ended.Add(exit.ApicEoi.Vector);
        Verify.Equal(exit.Kind, ExitKind.PortIo, "The exit after those of the two EOIs");
        Verify.Equal(string.Join(' ', ended), $"{0x85} {0x45}", "Vectors reported");
    }

    private static void SendWide(Assembler a, uint command, uint destination)
    {
        a.mov(ecx, 0x830);
        a.mov(eax, command);
        a.mov(edx, destination);
        a.wrmsr();
    }

    private static void EndWide(Assembler a)
    {
        a.push(eax);
        a.push(ecx);
        a.push(edx);
        a.mov(ecx, 0x80B);
        a.xor(eax, eax);
        a.xor(edx, edx);
        a.wrmsr();
        a.pop(edx);
        a.pop(ecx);
        a.pop(eax);
    }

    private static void SentWide(ConformanceContext c, int count, int[] expected, uint command, uint destination) =>
        Run(c, LocalApicMode.X2Apic, expected[..count], (a, _) => SendWide(a, command, destination), null, EndWide);

    private static void SelfWide(ConformanceContext c) => Run(
        c,
        LocalApicMode.X2Apic,
        [1, 0],
        (a, _) =>
        {
            a.mov(ecx, 0x83F);
            a.mov(eax, Vector);
            a.xor(edx, edx);
            a.wrmsr();
        },
        null,
        EndWide);
}
