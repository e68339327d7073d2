using System.Diagnostics;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The local APIC in the backend, in xAPIC mode.</summary>
internal static class ApicCases
{
    private const uint Page = 0xFEE0_0000;
    private const int Id = 0x20, Version = 0x30, TaskPriority = 0x80, EndOfInterrupt = 0xB0, Spurious = 0xF0, InService = 0x100,
        Requested = 0x200,
        Command = 0x300, TimerVector = 0x320, Lint0 = 0x350, InitialCount = 0x380, CurrentCount = 0x390, Divide = 0x3E0;

    public static ConformanceCase[] All =>
    [
        Case("apic.power_on", "Identifier, version, masks and base have their power-on values", "SDM Vol. 3A 11.4.7.1, 11.4.4", PowerOn),
        Case("apic.self_ipi", "A self IPI waits in IRR, is in service in its handler, and ends by EOI", "SDM Vol. 3A 11.6.1, 11.8.4",
            SelfIpi),
        Case("apic.request", "A fixed request wakes a processor that waits at HLT inside Run",
            "contract 4: With the APIC in the backend; 5", Request),
        Case("apic.request_nmi", "An NMI request is taken with IF clear", "SDM Vol. 3A 11.6.1; contract 5", RequestNmi),
        Case("apic.task_priority", "A vector at or below the task priority waits until the priority is lowered", "SDM Vol. 3A 11.8.3.1",
            TaskPriorityMasks),
        Case("apic.priority_order", "Of two requests, the higher vector is taken first, the other after its EOI", "SDM Vol. 3A 11.8.3",
            PriorityOrder),
        Case("apic.software_disabled", "A software-disabled APIC takes no fixed request", "SDM Vol. 3A 11.4.7.2", SoftwareDisabled),
        Case("apic.level_eoi", "EOI of a level-triggered request is an exit with its vector",
            "contract 5: EOI exits for level-triggered lines", LevelEoi),
        Case("apic.timer_one_shot", "The one-shot timer interrupts once, and its count stays 0", "SDM Vol. 3A 11.5.4", TimerOneShot),
        Case("apic.timer_periodic", "The periodic timer interrupts again and again, until masked", "SDM Vol. 3A 11.5.4", TimerPeriodic),
        Case("apic.timer_counts", "The masked timer counts down without interrupting", "SDM Vol. 3A 11.5.4", TimerCounts),
        Case("apic.timer_deadline", "The TSC-deadline timer interrupts at its time and disarms", "SDM Vol. 3A 11.5.4.1", TimerDeadline),
        Case("apic.timer_after_wake", "A timer runs out for a processor, too, that was woken shortly before and does not halt again", "SDM Vol. 3A 11.5.4",
            TimerAfterWake),
        Case("apic.external_source", "The external source is served through LINT0 in ExtINT mode", "SDM Vol. 3A 11.5.1; contract 5",
            ExternalSource),
        Case("apic.halt_cancel", "A cancel ends a run that waits at HLT", "contract 4: Cancel", HaltCancel),
    ];

    private static ConformanceCase Case(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.LocalApic] };

    /// <summary>A 32-bit guest with EBX on the APIC's page, enabled, interrupts off.</summary>
    private static GuestMachine Enter(ConformanceContext c, Action<Assembler> build, bool enabled = true) => c.Enter(
        GuestMode.Protected32,
        a =>
        {
            a.mov(ebx, Page);
            if (enabled)
                Store(a, Spurious, 0x1FF);
            build(a);
        },
        configure: o => o with { LocalApic = LocalApicMode.XApic, InstructionBudget = 0 });

    private static void Store(Assembler a, int register, uint value) => a.mov(__dword_ptr[ebx + register], value);

    private static void Mark(Assembler a) => a.@out((byte)GuestLayout.MarkPort, al);

    private static void PowerOn(ConformanceContext c)
    {
        GuestMachine m = Enter(
            c,
            a =>
            {
                a.mov(eax, __dword_ptr[ebx + Id]);
                a.mov(esi, __dword_ptr[ebx + Version]);
                a.mov(edi, __dword_ptr[ebx + Spurious]);
                a.mov(ebp, __dword_ptr[ebx + TimerVector]);
                a.mov(edx, __dword_ptr[ebx + TaskPriority]);
                Mark(a);
            },
            enabled: false);
        m.RunToMark();
        m.VerifyRegisters((Register.Rax, 0), (Register.Rbp, 0x1_0000), (Register.Rdx, 0));
        // Backends may begin in virtual wire mode, as firmware leaves the bootstrap processor (MultiProcessor Specification 3.6.2.2).
        Verify.True(m[Register.Rdi] is 0xFF or 0x10F or 0x1FF,
            $"Spurious-interrupt register at power-on, or in virtual wire mode (0x{m[Register.Rdi]:X})");
        Verify.Bits(m[Register.Rsi], 0xF0, 0x10, "Version: an integrated APIC");
        Verify.True((m[Register.Rsi] >> 16 & 0xFF) >= 4, "At least five local vectors");
        Verify.Equal(m[Register.ApicBase], Page | 0x900UL, "APIC base: enabled, bootstrap processor");
    }

    private static void SelfIpi(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Command, 0x4_0051);
            a.mov(esi, __dword_ptr[ebx + Requested + 0x20]);
            a.sti();
            a.nop();
            a.cli();
            a.mov(eax, __dword_ptr[ebx + Requested + 0x20]);
            Mark(a);
        });
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.mov(edi, __dword_ptr[ebx + InService + 0x20]);
            Store(a, EndOfInterrupt, 0);
            a.mov(ebp, __dword_ptr[ebx + InService + 0x20]);
            a.inc(edx);
            a.iretd();
        });
        m.SetHandler(0x51, GuestLayout.HighMemory);
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, 1 << 17), (Register.Rdi, 1 << 17), (Register.Rbp, 0), (Register.Rax, 0), (Register.Rdx, 1));
    }

    /// <summary>Runs on another thread, does something once the guest has got going, and expects the stub of a vector.</summary>
    private static void RunUntilVector(ConformanceContext c, GuestMachine m, byte vector, Action action)
    {
        ExceptionFrame? frame = null;
        GuestThread runner = c.Start("runner", () => frame = m.RunToException(vector));
        Thread.Sleep(10);
        Verify.True(!runner.Ended, "The guest waits");
        action();
        runner.Join($"The guest after vector {vector} was requested");
        Verify.True(frame is not null, "The handler is reached");
    }

    private static void Request(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            a.sti();
            a.hlt();
            a.inc(esi);
            Mark(a);
        });
        RunUntilVector(c, m, 0x60, () => m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x60 }));
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, 1));
    }

    private static void RequestNmi(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            a.hlt();
            Mark(a);
        });
        InterruptRequest request = new() { Mode = InterruptDeliveryMode.NonMaskable };
        RunUntilVector(c, m, 2, () => m.Partition.RequestInterrupt(request));
        m.RunToMark();
    }

    private static void TaskPriorityMasks(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, TaskPriority, 0x60);
            a.sti();
            Mark(a);
            a.nop();
            a.nop();
            a.@out(0x10, al);
            Store(a, TaskPriority, 0x50);
            a.nop();
            a.hlt();
        });
        m.RunToMark();
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x6F });
        m.RunToPort(0x10);
        m.RunToException(0x6F);
    }

    private static void PriorityOrder(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Mark(a);
            a.sti();
            a.nop();
            a.nop();
            Store(a, EndOfInterrupt, 0);
            a.nop();
            a.hlt();
        });
        m.RunToMark();
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x41 });
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x82 });
        m.RunToException(0x82);
        m.RunToException(0x41);
    }

    private static void SoftwareDisabled(ConformanceContext c)
    {
        GuestMachine m = Enter(
            c,
            a =>
            {
                Store(a, Spurious, 0xFF);
                a.sti();
                Mark(a);
                a.nop();
                Store(a, Spurious, 0x1FF);
                a.nop();
                a.@out(0x10, al);
            },
            enabled: false);
        m.RunToMark();
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x70 });
        m.RunToPort(0x10);
    }

    private static void LevelEoi(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Mark(a);
            a.sti();
            a.nop();
            a.nop();
            Store(a, EndOfInterrupt, 0);
            Mark(a);
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.jmp(again);
        });
        m.RunToMark();
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x71, LevelTriggered = true });
        m.RunToException(0x71);
        Verify.Equal(m.RunTo(ExitKind.ApicEoi).ApicEoi.Vector, (byte)0x71, "Vector of the EOI");
        m.RunToMark();
    }

    private static void TimerOneShot(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Divide, 0xB);
            Store(a, TimerVector, 0x72);
            Store(a, InitialCount, 100_000);
            a.sti();
            a.hlt();
            Store(a, EndOfInterrupt, 0);
            a.mov(esi, __dword_ptr[ebx + CurrentCount]);
            Mark(a);
        });
        m.RunToException(0x72);
        m.RunToMark();
        m.VerifyRegisters((Register.Rsi, 0));
    }

    private static void TimerPeriodic(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Divide, 0xB);
            Store(a, TimerVector, 0x2_0073);
            Store(a, InitialCount, 200_000);
            a.sti();
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.hlt();
            a.cmp(esi, 3);
            a.jb(again);
            Store(a, TimerVector, 0x3_0073);
            a.mov(edi, esi);
            Mark(a);
        });
        m.Assemble(32, GuestLayout.HighMemory, a =>
        {
            a.inc(esi);
            Store(a, EndOfInterrupt, 0);
            a.iretd();
        });
        m.SetHandler(0x73, GuestLayout.HighMemory);
        m.RunToMark();
        Verify.True(m[Register.Rdi] >= 3, $"At least three interrupts ({m[Register.Rdi]})");
    }

    private static void TimerCounts(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Divide, 0xB);
            Store(a, TimerVector, 0x1_0074);
            a.sti();
            Store(a, InitialCount, 0xFFFF_FFFF);
            a.mov(esi, __dword_ptr[ebx + CurrentCount]);
            a.mov(ecx, 1000);
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.dec(ecx);
            a.jne(again);
            a.mov(edi, __dword_ptr[ebx + CurrentCount]);
            Mark(a);
        });
        m.RunToMark();
        Verify.True(m[Register.Rdi] < m[Register.Rsi], $"0x{m[Register.Rdi]:X} is below 0x{m[Register.Rsi]:X}");
    }

    private static void TimerDeadline(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1, 0, o => o with { LocalApic = LocalApicMode.XApic }).Ecx & (1 << 24)) != 0,
            "The processor model has no TSC-deadline timer.");
        GuestMachine m = Enter(c, a =>
        {
            Store(a, TimerVector, 0x4_0075);
            a.rdtsc();
            a.mov(esi, eax);
            a.mov(edi, edx);
            a.add(eax, 300_000);
            a.adc(edx, 0);
            a.mov(ecx, 0x6E0);
            a.wrmsr();
            a.sti();
            a.hlt();
            a.rdtsc();
            a.sub(eax, esi);
            a.sbb(edx, edi);
            a.mov(esi, eax);
            a.mov(edi, edx);
            a.rdmsr();
            Mark(a);
        });
        m.RunToException(0x75);
        m.RunToMark();
        Verify.True((m[Register.Rdi] << 32 | m[Register.Rsi]) >= 300_000, "Time that passed");
        m.VerifyRegisters((Register.Rax, 0), (Register.Rdx, 0));
    }

    private static void TimerAfterWake(ConformanceContext c)
    {
        const int Rounds = 200;
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Divide, 0xB);
            Store(a, TimerVector, 0x72);
            Label again = a.CreateLabel(), spin = a.CreateLabel();
            a.Label(ref again);
            Store(a, InitialCount, 2_000_000);
            a.sti();
            a.hlt();
            a.Label(ref spin);
            Store(a, EndOfInterrupt, 0);
            a.pause();
            a.cmp(__dword_ptr[GuestLayout.Data], 0);
            a.je(spin);
            a.cli();
            a.mov(__dword_ptr[GuestLayout.Data], 0);
            Mark(a);
            a.jmp(again);
        });
        Random random = new(1);
        for (int round = 0; round < Rounds; round++)
        {
            int first = 0, second = 0;
            GuestThread runner = c.Start("runner", () =>
            {
                first = m.RunToException().Vector;
                second = m.RunToException().Vector;
            });
            // Now before the timer's time, now after it.
            long start = Stopwatch.GetTimestamp();
            TimeSpan wait = TimeSpan.FromMicroseconds(random.Next(2500));
            while (Stopwatch.GetElapsedTime(start) < wait)
                Thread.Yield();
            m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x60 });
            runner.Join($"Round {round}: the guest after its timer's time");
            Verify.Equal((first, second) is (0x60, 0x72) or (0x72, 0x60), true, $"Round {round}: the message's vector and the timer's (0x{first:X}, 0x{second:X})");
            m.Poke(GuestLayout.Data, 1, 4);
            m.RunToMark();
        }
    }

    private sealed class Source : IExternalInterruptSource
    {
        public bool Asserted { get; set; } = true;

        public int Acknowledge()
        {
            Asserted = false;
            return 0x76;
        }
    }

    private static void ExternalSource(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            Store(a, Lint0, 0x700);
            Mark(a);
            a.sti();
            a.nop();
            a.nop();
            a.hlt();
        });
        m.RunToMark();
        m.Partition.ExternalInterruptSource = new Source();
        m.Partition.NotifyExternalInterrupt();
        m.RunToException(0x76);
    }

    private static void HaltCancel(ConformanceContext c)
    {
        GuestMachine m = Enter(c, a =>
        {
            a.sti();
            a.hlt();
            Mark(a);
        });
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        Thread.Sleep(20);
        Verify.True(!runner.Ended, $"Run waits at HLT ({exit})");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
        m.Partition.RequestInterrupt(new InterruptRequest { Vector = 0x77 });
        m.RunToException(0x77);
        m.RunToMark();
    }
}
