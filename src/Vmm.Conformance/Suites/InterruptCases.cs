using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Injected events, and the external interrupt source.</summary>
internal static class InterruptCases
{
    public static ConformanceCase[] All =>
    [
        new("interrupts.wake_halt", "An interrupt injected at HLT is taken there and returns behind it, in every mode",
            "SDM Vol. 2 HLT; contract 5: Inject",
            c => WakeHalt(c, GuestMode.Real, GuestMode.Protected32, GuestMode.Compatibility, GuestMode.Long)),
        new("interrupts.wake_halt_16", "The same through a 16-bit gate, which pushes words", "SDM Vol. 3A 6.12.1; contract 5: Inject",
            c => WakeHalt(c, GuestMode.Protected16)),
        new("interrupts.halt_again", "A halted processor with nothing to deliver returns Halt again", "contract 4: HLT", HaltAgain),
        new("interrupts.masked_halt", "A maskable interrupt does not wake a processor halted with IF clear; an NMI does",
            "SDM Vol. 2 HLT; Vol. 3A 6.8.1", MaskedHalt),
        new("interrupts.deferred_until_sti", "An interrupt injected with IF clear is deferred, and taken after the instruction behind STI",
            "SDM Vol. 2 STI; contract 5", DeferredUntilSti),
        new("interrupts.sti_hlt", "STI; HLT with a waiting interrupt is taken behind HLT", "SDM Vol. 2 STI, HLT", StiHlt),
        new("interrupts.popf", "An interrupt is taken right after POPF sets IF", "SDM Vol. 2 POPF", Popf),
        new("interrupts.mov_ss_shadow", "An interrupt that comes during MOV SS waits for one more instruction", "SDM Vol. 3A 6.8.3",
            MovSsShadow),
        new("interrupts.nmi_blocked", "An NMI is taken with IF clear; the next waits for IRET, and is not nested", "SDM Vol. 3A 6.7.1",
            NmiBlocked),
        new("interrupts.place_occupied",
            "A second injection while one waits is refused, and the first is not lost; an NMI has its own place",
            "contract 5: holds one event", PlaceOccupied),
        new("interrupts.exception", "An injected exception brings vector, error code and CR2, before the next instruction, with IF clear",
            "contract 5: Inject", InjectedException),
        new("interrupts.bad_events_refused", "An exception with vector 32 is refused", "contract 7: ArgumentException", BadEventsRefused),
        new("interrupts.while_running", "An interrupt injected while another thread runs the guest is taken", "contract 5: never loses one",
            WhileRunning),
        new("interrupts.user_to_kernel", "An interrupt at level 3 switches to the privileged stack and back", "SDM Vol. 3A 6.12.1, 6.14.4",
            UserToKernel),
        new("interrupts.source_asked_when_deliverable", "The external source is acknowledged only when the guest takes the interrupt",
            "contract 5: external interrupt source", SourceAskedWhenDeliverable),
        new("interrupts.source_wakes_halt", "The external source wakes a halted processor", "contract 5: wakes a halted vCPU",
            SourceWakesHalt),
        new("interrupts.source_gone", "A source whose request went away delivers nothing", "contract 5: IExternalInterruptSource",
            SourceGone),
        new("interrupts.source_while_running", "A source asserted and notified while the guest spins is served",
            "contract 5: NotifyExternalInterrupt", SourceWhileRunning),
        new("interrupts.counted", "Delivered events are counted", "contract 1: counters", Counted),
    ];

    private static void WakeHalt(ConformanceContext c, params GuestMode[] modes)
    {
        foreach (GuestMode mode in modes)
        {
            GuestMachine m = c.Enter(mode, a =>
            {
                a.sti();
                a.hlt();
                a.mov(bx, 0x55);
                a.cli();
                a.hlt();
            });
            m.RunToHalt();
            Verify.Equal(m.Processor.Inject(InjectedEvent.Interrupt(0x20)), InjectionResult.Injected, $"Injection in {mode}");
            ExceptionFrame frame = m.RunToException(0x20);
            Verify.Equal(frame.Rip, GuestLayout.Code + 2, $"RIP saved in {mode}");
            Verify.Bits(frame.Rflags, 0x200, 0x200, $"IF saved in {mode}");
            Verify.Bits(m[Register.Rflags], 0x200, 0, $"IF in the handler in {mode}");
            m.RunToHalt();
            Verify.Bits(m[Register.Rbx], 0xFFFF, 0x55, $"BX after the handler in {mode}");
        }
    }

    private static void HaltAgain(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.hlt();
            a.mov(ebx, 1);
            a.hlt();
        });
        for (int i = 0; i < 3; i++)
        {
            m.RunToHalt();
            m.VerifyRegisters((Register.Rip, GuestLayout.Code + 2), (Register.Rbx, 0));
        }
        m.Processor.Inject(InjectedEvent.Interrupt(0x30));
        m.RunToException(0x30);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void MaskedHalt(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.hlt();
            a.mov(ebx, 1);
            a.sti();
            a.nop();
            a.nop();
            a.hlt();
        });
        m.RunToHalt();
        Verify.Equal(m.Processor.Inject(InjectedEvent.Interrupt(0x30)), InjectionResult.Deferred, "A maskable interrupt");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rip, GuestLayout.Code + 1));
        m.Processor.Inject(InjectedEvent.Nmi);
        ExceptionFrame frame = m.RunToException(2);
        Verify.Equal(frame.Rip, GuestLayout.Code + 1, "RIP saved by the NMI");
        frame = m.RunToException(0x30);
        m.VerifyRegisters((Register.Rbx, 1));
        m.RunToHalt();
    }

    private static void DeferredUntilSti(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al);
            a.nop();
            a.nop();
            a.sti();
            a.inc(ebx);
            a.inc(ebx);
            a.hlt();
        });
        m.RunToMark();
        Verify.Equal(m.Processor.Inject(InjectedEvent.Interrupt(0x21)), InjectionResult.Deferred, "Injection with IF clear");
        ExceptionFrame frame = m.RunToException(0x21);
        m.VerifyRegisters((Register.Rbx, 1));
        Verify.Equal(frame.Rip, GuestLayout.Code + 7, "RIP saved: behind one instruction after STI");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 2));
    }

    private static void StiHlt(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al);
            a.sti();
            a.hlt();
            a.cli();
            a.hlt();
        });
        m.RunToMark();
        m.Processor.Inject(InjectedEvent.Interrupt(0x22));
        VpExit exit = m.Run();
        if (exit.Kind == ExitKind.Halt)
            exit = m.Run();
        Verify.True(exit is { Kind: ExitKind.PortIo, PortIo.Port: GuestLayout.ExceptionPort },
            $"The interrupt is taken, with or without a Halt before it ({exit})");
        m.Finish();
        m.VerifyRegisters((Register.Rip, GuestLayout.Stubs + (0x22 * 16) + 2));
        Verify.Equal(m.Peek(m[Register.Rsp]), GuestLayout.Code + 4, "RIP saved: behind HLT");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rip, GuestLayout.Code + 6));
    }

    private static void Popf(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.push(0x202);
            a.@out((byte)GuestLayout.MarkPort, al);
            a.popfq();
            a.inc(ebx);
            a.hlt();
        });
        m.RunToMark();
        m.Processor.Inject(InjectedEvent.Interrupt(0x23));
        m.RunToException(0x23);
        m.VerifyRegisters((Register.Rbx, 0));
        m.RunToHalt();
    }

    private static void MovSsShadow(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.sti();
            a.nop();
            a.mov(ss, __word_ptr[GuestLayout.Mmio]);
            a.inc(ebx);
            a.inc(ebx);
            a.hlt();
        });
        m.RunToMmio(false, GuestLayout.Mmio, 2);
        m.Processor.Inject(InjectedEvent.Interrupt(0x24));
        m.Processor.CompleteRead(GuestSelectors.Data);
        m.RunToException(0x24);
        m.VerifyRegisters((Register.Rbx, 1));
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 2));
    }

    private static void NmiBlocked(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al);
            a.inc(ebx);
            a.hlt();
        });
        m.RunToMark();
        Verify.Equal(m.Processor.Inject(InjectedEvent.Nmi), InjectionResult.Injected, "The first NMI");
        ExceptionFrame first = m.RunToException(2);
        m.VerifyRegisters((Register.Rbx, 0));
        Verify.Equal(m.Processor.Inject(InjectedEvent.Nmi), InjectionResult.Deferred, "The second NMI");
        ExceptionFrame second = m.RunToException(2);
        Verify.Equal(second.Rip, first.Rip, "RIP saved by the second: that of the first, so IRET came between");
        Verify.Equal(second.FrameAddress, first.FrameAddress, "Address of the second frame");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void PlaceOccupied(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.hlt();
            a.sti();
            a.nop();
            a.nop();
            a.hlt();
        });
        m.Processor.Inject(InjectedEvent.Interrupt(0x25));
        Verify.Throws<InvalidOperationException>(() => m.Processor.Inject(InjectedEvent.Interrupt(0x26)),
            "A second interrupt while one waits");
        m.Processor.Inject(InjectedEvent.Nmi);
        Verify.Throws<InvalidOperationException>(() => m.Processor.Inject(InjectedEvent.Nmi), "A second NMI while one waits");
        m.RunToException(2);
        m.RunToHalt();
        m[Register.Rip] = GuestLayout.Code + 1;
        VpExit exit = m.Run();
        if (exit.Kind == ExitKind.Halt)
        {
            // The processor was still halted: an NMI wakes it.
            m.Processor.Inject(InjectedEvent.Nmi);
            m.RunToException(2);
            exit = m.Run();
        }
        Verify.True(exit is { Kind: ExitKind.PortIo, PortIo.Port: GuestLayout.ExceptionPort }, $"The first interrupt is taken ({exit})");
        m.Finish();
        m.VerifyRegisters((Register.Rip, GuestLayout.Stubs + (0x25 * 16) + 2));
        m.RunToHalt();
    }

    private static void InjectedException(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al);
            a.inc(ebx);
            a.hlt();
        });
        m.RunToMark();
        m.Processor.Inject(InjectedEvent.Exception(14, 6, 0x1234_5678));
        ExceptionFrame frame = m.RunToException(14);
        Verify.Equal(frame.ErrorCode, 6U, "Error code");
        Verify.Equal(frame.Rip, GuestLayout.Code + 2, "RIP saved");
        m.VerifyRegisters((Register.Cr2, 0x1234_5678), (Register.Rbx, 0));
        m.Processor.Inject(InjectedEvent.Exception(13, 0x48));
        frame = m.RunToException(13);
        Verify.Equal(frame.ErrorCode, 0x48U, "Error code of the second");
        m.RunToHalt();
    }

    private static void BadEventsRefused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        Verify.Throws<ArgumentException>(() => m.Processor.Inject(InjectedEvent.Exception(32)), "Exception 32");
        Verify.Throws<ArgumentException>(() => m.Processor.Inject(InjectedEvent.Exception(2)), "Exception 2, which is an NMI's vector");
        Verify.Throws<ArgumentException>(() => m.Processor.Inject(new InjectedEvent { Kind = (InjectedEventKind)9 }), "Kind 9");
        m.RunToHalt();
    }

    private static GuestMachine SpinningInterruptible(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.sti();
                Label again = a.CreateLabel();
                a.Label(ref again);
                a.inc(__dword_ptr[GuestLayout.Data]);
                a.jmp(again);
            },
            configure: o => o with { InstructionBudget = 0 });
        return m;
    }

    private static void WhileRunning(ConformanceContext c)
    {
        GuestMachine m = SpinningInterruptible(c);
        for (byte vector = 0x30; vector < 0x38; vector++)
        {
            VpExit exit = default;
            GuestThread runner = c.Start("runner", () => exit = m.Run());
            LifecycleCases.WaitUntilRunning(m);
            m.Processor.Inject(InjectedEvent.Interrupt(vector));
            runner.Join("The guest after the injection");
            Verify.True(exit is { Kind: ExitKind.PortIo, PortIo.Port: GuestLayout.ExceptionPort }, $"The handler is reached ({exit})");
            m.Finish();
            m.VerifyRegisters((Register.Rip, GuestLayout.Stubs + (vector * 16UL) + 2));
        }
    }

    private static void UserToKernel(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.@out(0x10, al);
                a.inc(ebx);
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            user: true);
        m[Register.Rflags] |= 0x200;
        m.RunToPort(0x10);
        m.Finish();
        m.Processor.Inject(InjectedEvent.Interrupt(0x33));
        ExceptionFrame frame = m.RunToException(0x33);
        Verify.Equal(frame.Cs, GuestSelectors.UserCode64, "CS saved");
        Verify.Equal(frame.Ss, GuestSelectors.UserData, "SS saved");
        Verify.Equal(frame.FrameAddress, GuestLayout.PrivilegedStackTop - 40, "Address of the frame");
        m.RunToMark();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rsp, GuestLayout.StackTop));
    }

    private sealed class Source(int vector) : IExternalInterruptSource
    {
        private volatile bool _asserted;

        public int Acknowledged { get; private set; }

        public bool Asserted
        {
            get => _asserted;
            set => _asserted = value;
        }

        public int Acknowledge()
        {
            Acknowledged++;
            _asserted = false;
            return vector;
        }
    }

    private static void SourceAskedWhenDeliverable(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out(0x10, al);
            a.sti();
            a.inc(ebx);
            a.inc(ebx);
            a.hlt();
        });
        Source source = new(0x40) { Asserted = true };
        m.Partition.ExternalInterruptSource = source;
        m.Partition.NotifyExternalInterrupt();
        m.RunToPort(0x10);
        Verify.Equal(source.Acknowledged, 0, "Acknowledgements with IF clear");
        ExceptionFrame frame = m.RunToException(0x40);
        Verify.Equal(source.Acknowledged, 1, "Acknowledgements after delivery");
        Verify.Equal(frame.Rip, GuestLayout.Code + 5, "RIP saved: behind one instruction after STI");
        m.RunToHalt();
        Verify.Equal(source.Acknowledged, 1, "Acknowledgements at the end");
    }

    private static void SourceWakesHalt(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.hlt();
            a.inc(ebx);
            a.cli();
            a.hlt();
        });
        Source source = new(0x41);
        m.Partition.ExternalInterruptSource = source;
        m.RunToHalt();
        source.Asserted = true;
        m.Partition.NotifyExternalInterrupt();
        Verify.Equal(m.RunToException(0x41).Rip, GuestLayout.Code + 2, "RIP saved: behind HLT");
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void SourceGone(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.nop();
            a.inc(ebx);
            a.hlt();
        });
        Source source = new(-1) { Asserted = true };
        m.Partition.ExternalInterruptSource = source;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1), (Register.Rsp, GuestLayout.StackTop));
        Verify.Equal(source.Acknowledged, 1, "Acknowledgements");
    }

    private static void SourceWhileRunning(ConformanceContext c)
    {
        GuestMachine m = SpinningInterruptible(c);
        Source source = new(0x42);
        m.Partition.ExternalInterruptSource = source;
        for (int i = 0; i < 5; i++)
        {
            VpExit exit = default;
            GuestThread runner = c.Start("runner", () => exit = m.Run());
            LifecycleCases.WaitUntilRunning(m);
            source.Asserted = true;
            m.Partition.NotifyExternalInterrupt();
            runner.Join("The guest after the notification");
            Verify.True(exit is { Kind: ExitKind.PortIo, PortIo.Port: GuestLayout.ExceptionPort }, $"The handler is reached ({exit})");
        }
        Verify.Equal(source.Acknowledged, 5, "Acknowledgements");
    }

    private static void Counted(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.hlt();
        });
        m.RunToHalt();
        m.Processor.Inject(InjectedEvent.Interrupt(0x30));
        m.RunToException(0x30);
        Verify.Equal(m.Processor.Counters.EventsDelivered, 1UL, "Events delivered");
    }
}
