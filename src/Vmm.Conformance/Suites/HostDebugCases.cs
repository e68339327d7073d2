using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Breakpoints and steps of the host's debugger, which the guest does not see.</summary>
internal static class HostDebugCases
{
    private const ulong Code = GuestLayout.Code;

    public static ConformanceCase[] All =>
    [
        Breakpoint("hostdebug.breakpoint", "A breakpoint exits before its instruction, and again when the run begins there", "contract, debugging: breakpoints", BeforeInstruction),
        Breakpoint("hostdebug.breakpoint_in_loop", "A breakpoint set in code that has run is hit each time round", "contract, debugging: breakpoints", InLoop),
        Breakpoint("hostdebug.breakpoint_is_linear", "A breakpoint is at a linear address: the same code elsewhere does not hit it", "contract, debugging: linear", IsLinear),
        Breakpoint("hostdebug.breakpoint_invisible", "The guest reads its own bytes and debug registers", "contract, debugging: unseen", Invisible),
        Breakpoint("hostdebug.breakpoint_removed", "A breakpoint taken away is not hit", "contract, debugging: breakpoints", Removed),
        Step("hostdebug.step", "Each step is one instruction, whatever the mode", "contract, debugging: step", EachInstruction),
        Step("hostdebug.step_into_handler", "A step of an instruction that faults ends at its handler", "contract, debugging: step", IntoHandler),
        Step("hostdebug.step_over_exit", "A step of an instruction that exits ends when it is finished", "contract, debugging: step", OverExit),
        Step("hostdebug.step_over_halt", "A step of HLT ends behind it, and the next finds the processor halted", "contract, debugging: step", OverHalt),
        Step("hostdebug.step_holds_interrupts", "A step is not led away by an interrupt, which comes afterwards", "contract, debugging: step", HoldsInterrupts),
        Step("hostdebug.step_invisible", "The guest's TF and its own traps are its own", "contract, debugging: unseen", StepInvisible),
        new("hostdebug.step_off_breakpoint", "A step runs the instruction at RIP though a breakpoint stands on it", "contract, debugging: step", OffBreakpoint)
        {
            Requires = [Capability.Breakpoints, Capability.SingleStep],
        },
        new("hostdebug.kept_by_reset", "A reset leaves what the debugger asked for", "contract, debugging: no state of the guest", KeptByReset)
        {
            Requires = [Capability.Breakpoints],
        },
        new("hostdebug.refused", "What is not declared, and impossible points, are refused", "contract, debugging: refused", Refused),
    ];

    private static ConformanceCase Breakpoint(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.Breakpoints] };

    private static ConformanceCase Step(string id, string title, string oracle, Action<ConformanceContext> body) =>
        new(id, title, oracle, body) { Requires = [Capability.SingleStep] };

    internal static DebugControl At(params ulong[] addresses) =>
        new() { Points = [.. addresses.Select(address => new DebugPoint(DebugPointKind.Execute, address))] };

    internal static void ExpectBreakpoint(GuestMachine m, ulong address)
    {
        VpExit exit = m.RunTo(ExitKind.Debug);
        Verify.Equal(exit.Debug.Access, GuestAccess.Execute, "What was hit");
        Verify.Equal(exit.Debug.Address, address, "Address of the breakpoint");
        Verify.Equal(m[Register.Rip], address, "RIP at the breakpoint");
    }

    internal static void ExpectStep(GuestMachine m, ulong rip)
    {
        VpExit exit = m.RunTo(ExitKind.Debug);
        Verify.Equal(exit.Debug.Access, GuestAccess.None, "What ended the step");
        Verify.Equal(m[Register.Rip], rip, "RIP after the step");
    }

    private static void BeforeInstruction(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.nop();
            a.inc(eax);
            a.inc(ebx);
            a.hlt();
        });
        m.Processor.Debugging = At(Code + 3);
        ExpectBreakpoint(m, Code + 3);
        m.VerifyRegisters((Register.Rax, 1), (Register.Rbx, 0));
        ExpectBreakpoint(m, Code + 3);
        m.VerifyRegisters((Register.Rbx, 0));
        m.Processor.Debugging = DebugControl.None;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rbx, 1));
    }

    private static void InLoop(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al); // 2 bytes
            Label again = a.CreateLabel();
            a.mov(ecx, 20); // 5
            a.Label(ref again);
            a.inc(eax); // 2
            a.inc(ebx); // 2
            a.dec(ecx); // 2
            a.jnz(again);
            a.hlt();
        });
        m.RunToMark();
        m.RunToHalt();
        m.Enter(GuestMode.Long);
        m.Processor.Debugging = At(Code + 9);
        m.RunToMark();
        for (uint time = 1; time <= 20; time++)
        {
            ExpectBreakpoint(m, Code + 9);
            m.VerifyRegisters((Register.Rax, time), (Register.Rbx, time - 1));
            m[Register.Rbx] = time; // what the instruction would do
            m[Register.Rip] = Code + 11;
        }
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 20), (Register.Rbx, 20));
    }

    private static void IsLinear(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        // The page at Code holds a function at its offset 0x100; it is called through another linear page.
        m.Assemble(64, Code + 0x100, a =>
        {
            a.inc(eax);
            a.inc(ebx);
            a.ret();
        });
        m.ChangePage(GuestLayout.Data, entry => (entry & 0xFFF) | Code);
        m.Assemble(64, Code, a =>
        {
            a.mov(esi, (uint)Code + 0x100);
            a.call(rsi);
            a.mov(esi, (uint)GuestLayout.Data + 0x100);
            a.call(rsi);
            a.mov(esi, (uint)Code + 0x100);
            a.call(rsi);
            a.hlt();
        });
        m.Processor.Debugging = At(GuestLayout.Data + 0x102);
        ExpectBreakpoint(m, GuestLayout.Data + 0x102);
        m.VerifyRegisters((Register.Rax, 2), (Register.Rbx, 1));
        m.Processor.Debugging = At(Code + 0x102);
        ExpectBreakpoint(m, Code + 0x102);
        m.VerifyRegisters((Register.Rax, 3), (Register.Rbx, 2));
    }

    private static void Invisible(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, __dword_ptr[Code + 0x40]);
            a.mov(rbx, dr7);
            a.mov(rcx, dr6);
            a.mov(rdx, dr0);
            a.hlt();
        });
        m.Poke(Code + 0x40, 0x9090_9090, 4);
        ulong status = m[Register.Dr6];
        m.Processor.Debugging = At(Code + 0x40, Code + 0x41);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x9090_9090), (Register.Rbx, 0x400), (Register.Rcx, status), (Register.Rdx, 0));
    }

    private static void Removed(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.inc(eax);
            a.inc(eax);
            a.hlt();
        });
        m.Processor.Debugging = At(Code, Code + 2);
        ExpectBreakpoint(m, Code);
        m.Processor.Debugging = At(Code + 2);
        Verify.Equal(m.Processor.Debugging.Points.Length, 1, "Points that Debugging gives back");
        ExpectBreakpoint(m, Code + 2);
        m.Processor.Debugging = DebugControl.None;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 2));
    }

    private static void EachInstruction(ConformanceContext c)
    {
        foreach (GuestMode mode in Enum.GetValues<GuestMode>())
        {
            if (mode is GuestMode.Paged32 or GuestMode.Pae && !c.Has(Capability.LegacyPaging))
                continue;
            GuestMachine m = c.Enter(mode, a =>
            {
                a.nop();
                Label over = a.CreateLabel();
                a.jmp(over); // 2 bytes
                a.nop();
                a.Label(ref over);
                a.nop();
                a.hlt();
            });
            m.Processor.Debugging = new DebugControl { SingleStep = true };
            ExpectStep(m, Code + 1);
            ExpectStep(m, Code + 4);
            ExpectStep(m, Code + 5);
            m.Processor.Debugging = DebugControl.None;
            m.RunToHalt();
        }
    }

    private static void IntoHandler(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.ud2());
        m.SetHandler(6, Code + 0x80);
        m.Assemble(64, Code + 0x80, a =>
        {
            a.add(__qword_ptr[rsp], 2);
            a.iretq();
        });
        m.Assemble(64, Code + 2, a => a.hlt());
        m.Processor.Debugging = new DebugControl { SingleStep = true };
        ExpectStep(m, Code + 0x80);
        VpExit second = m.RunTo(ExitKind.Debug);
        Verify.True(m[Register.Rip] > Code + 0x80, $"The handler's first instruction is done: {second}");
        ExpectStep(m, Code + 2);
    }

    private static void OverExit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(al, 0x10);
            a.inc(__dword_ptr[GuestLayout.Mmio]);
            a.hlt();
        });
        m.Processor.Debugging = new DebugControl { SingleStep = true };
        m.RunToPort(0x10);
        m.Processor.CompleteRead(0x42);
        ExpectStep(m, Code + 2);
        Verify.Bits(m[Register.Rax], 0xFF, 0x42, "AL");
        m.RunToMmio(false, GuestLayout.Mmio, 4);
        m.Processor.CompleteRead(7);
        Verify.Equal(m.RunToMmio(true, GuestLayout.Mmio, 4).Value, 8UL, "The value stored");
        m.Finish(); // finished without Run: the step is over all the same
        ulong rip = m[Register.Rip];
        ExpectStep(m, rip);
    }

    private static void OverHalt(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.hlt();
            a.nop();
        });
        m.Processor.Debugging = new DebugControl { SingleStep = true };
        ExpectStep(m, Code + 1);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rip, Code + 1));
    }

    private static void HoldsInterrupts(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.sti();
            a.nop();
            a.nop();
            a.nop();
            a.hlt();
        });
        m.Processor.Debugging = new DebugControl { SingleStep = true };
        ExpectStep(m, Code + 1);
        ExpectStep(m, Code + 2);
        m.Processor.Inject(InjectedEvent.Interrupt(0x40));
        ExpectStep(m, Code + 3);
        m.Processor.Debugging = DebugControl.None;
        Verify.Equal(m.RunToException(0x40).Rip, Code + 3, "RIP saved by the interrupt");
        m.RunToHalt();
    }

    private static void StepInvisible(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.pushfq();
            a.pop(rax);
            a.mov(rbx, dr6);
            a.push(0x102);
            a.popfq();
            a.nop();
            a.hlt();
        });
        ulong status = m[Register.Dr6];
        m.SetHandler(1, Code + 0x80);
        m.Assemble(64, Code + 0x80, a => a.hlt());
        m.Processor.Debugging = new DebugControl { SingleStep = true };
        for (int i = 0; i < 5; i++)
            m.RunTo(ExitKind.Debug);
        m.VerifyRegisters((Register.Rax, 2), (Register.Rbx, status));
        Verify.Bits(m[Register.Rflags], 0x100, 0x100, "TF that the guest has set");
        ExpectStep(m, Code + 0x80); // its own trap after the NOP
        Verify.Bits(m[Register.Dr6], 0x4000, 0x4000, "DR6.BS of the guest's trap");
    }

    private static void OffBreakpoint(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.inc(eax);
            a.inc(eax);
            a.hlt();
        });
        m.Processor.Debugging = At(Code, Code + 2) with { SingleStep = true };
        ExpectStep(m, Code + 2);
        m.VerifyRegisters((Register.Rax, 1));
        m.Processor.Debugging = At(Code, Code + 2);
        ExpectBreakpoint(m, Code + 2);
    }

    private static void KeptByReset(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        DebugControl control = At(Code + 1);
        m.Processor.Debugging = control;
        m.Partition.Reset(keepMemory: true);
        Verify.True(ReferenceEquals(m.Processor.Debugging, control), "Debugging after a reset");
        m.Enter(GuestMode.Real, a =>
        {
            a.nop();
            a.hlt();
        });
        ExpectBreakpoint(m, Code + 1);
    }

    private static void Refused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        IVirtualProcessor processor = m.Processor;
        DebugControl watch = new() { Points = [new DebugPoint(DebugPointKind.Write, GuestLayout.Data, 4)] };
        DebugControl step = new() { SingleStep = true };
        if (!c.Has(Capability.Breakpoints))
            Verify.Throws<NotSupportedException>(() => processor.Debugging = At(Code), "A breakpoint, not declared", Capability.Breakpoints.Name);
        if (!c.Has(Capability.Watchpoints))
            Verify.Throws<NotSupportedException>(() => processor.Debugging = watch, "A watchpoint, not declared", Capability.Watchpoints.Name);
        if (!c.Has(Capability.SingleStep))
            Verify.Throws<NotSupportedException>(() => processor.Debugging = step, "A step, not declared", Capability.SingleStep.Name);
        if (c.Has(Capability.Breakpoints))
        {
            int limit = c.Capabilities.DebugPointLimit;
            Verify.True(limit > 0, "Room for a breakpoint where they are declared");
            Verify.Throws<ArgumentException>(
                () => processor.Debugging = At([.. Enumerable.Range(0, limit + 1).Select(i => Code + (ulong)i)]), $"{limit + 1} points");
        }
        if (c.Has(Capability.Watchpoints))
        {
            foreach ((ulong address, int length) in ((ulong, int)[])[(GuestLayout.Data + 2, 4), (GuestLayout.Data, 3), (GuestLayout.Data, 16), (GuestLayout.Data, 0)])
            {
                DebugControl wrong = new() { Points = [new DebugPoint(DebugPointKind.Write, address, length)] };
                Verify.Throws<ArgumentException>(() => processor.Debugging = wrong, $"{length} bytes at 0x{address:X}");
            }
        }
        Verify.Equal(processor.Debugging.Points.Length, 0, "Points after refusals");
        m.RunToHalt();
    }
}
