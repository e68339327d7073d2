using System.Diagnostics;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The cancel latch, and the instruction budget.</summary>
internal static class CancelCases
{
    public static ConformanceCase[] All =>
    [
        new("cancel.before_run", "A cancel before a run is returned by it, once, and no guest code runs", "contract 4: Cancel", BeforeRun),
        new("cancel.while_running", "A cancel ends the run of a spinning guest, whose state is exact", "contract 4: Cancel", WhileRunning),
        new("cancel.coalesces", "Several cancels before the return are one", "contract 4: coalesce", Coalesces),
        new("cancel.withdraw", "A withdrawn cancel is not returned, and the answer says whether there was one",
            "contract 4: WithdrawCancel", Withdraw),
        new("cancel.survives_natural_exit", "A cancel after a natural exit stays for the next run", "contract 4: the latch then stays",
            SurvivesNaturalExit),
        new("cancel.exactly_once", "Over many exits, each cancel is returned exactly once", "contract 4: once", ExactlyOnce),
        new("cancel.none_lost_in_storm", "No cancel is lost when threads cancel all the time", "contract 4: from any thread at any time",
            NoneLostInStorm),
        new("cancel.latency", "Twenty cancels of a running guest each return within a second", "contract 4: latency is bounded", Latency),
        new("cancel.ends_string", "A cancel ends a long REP MOVSB at exact registers, and the copy completes afterwards",
            "contract 4; SDM Vol. 2 REP", EndsString),
        new("cancel.ends_fault_loop", "A cancel ends a guest that faults for ever", "contract 7: hang cancel", EndsFaultLoop),
        new("cancel.ends_self_jump", "A cancel ends a jump to itself, in every mode", "contract 7: hang cancel", EndsSelfJump),
        new("cancel.budget_exact", "An instruction budget ends the run after exactly that many instructions, and touches no latch",
            "contract: Capability instruction-budget", BudgetExact)
        {
            Requires = [Capability.InstructionBudget],
        },
        new("cancel.instructions_counted", "Retired instructions are counted exactly", "contract: Capability instruction-counting",
            InstructionsCounted)
        {
            Requires = [Capability.InstructionCounting],
        },
    ];

    private static void BeforeRun(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        m.Processor.Cancel();
        m.RunTo(ExitKind.Cancelled);
        m.VerifyRegisters((Register.Rip, GuestLayout.Code));
        m.RunToHalt();
    }

    private static void WhileRunning(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        for (int i = 0; i < 3; i++)
        {
            VpExit exit = default;
            GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
            LifecycleCases.WaitUntilRunning(m);
            m.Processor.Cancel();
            runner.Join("Run after the cancel");
            Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
            ulong difference = (m[Register.Rax] - m.Peek(GuestLayout.Data, 4)) & 0xFFFF_FFFF;
            bool between = m[Register.Rip] - GuestLayout.Code is 1 or 2;
            Verify.Equal(difference, between ? 1UL : 0, $"EAX less memory at RIP 0x{m[Register.Rip]:X}");
        }
        Verify.True(!m.Processor.WithdrawCancel(), "Nothing is left in the latch");
    }

    private static void Coalesces(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        for (int i = 0; i < 5; i++)
            m.Processor.Cancel();
        m.RunTo(ExitKind.Cancelled);
        m.RunToHalt();
    }

    private static void Withdraw(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a => a.hlt());
        Verify.True(!m.Processor.WithdrawCancel(), "Nothing to withdraw at first");
        m.Processor.Cancel();
        Verify.True(m.Processor.WithdrawCancel(), "A request to withdraw");
        Verify.True(!m.Processor.WithdrawCancel(), "Nothing to withdraw any more");
        m.RunToHalt();
    }

    private static void SurvivesNaturalExit(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.@out(0x10, al);
            a.hlt();
        });
        m.RunToPort(0x10);
        m.Processor.Cancel();
        m.Finish();
        m.VerifyRegisters((Register.Rip, GuestLayout.Code + 2));
        m.RunTo(ExitKind.Cancelled);
        m.RunToHalt();
    }

    private static void ExactlyOnce(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.@out(0x10, al);
            a.jmp(again);
        });
        int cancelled = 0;
        for (int i = 0; i < 500; i++)
        {
            if (i % 5 == 0)
                m.Processor.Cancel();
            if (m.Run().Kind == ExitKind.Cancelled)
                cancelled++;
        }
        if (m.Processor.WithdrawCancel())
            cancelled++;
        Verify.Equal(cancelled, 100, "Cancelled exits for 100 cancels");
    }

    private static void NoneLostInStorm(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        int returned = 0;
        bool stop = false;
        GuestThread runner = c.Start("runner", () =>
        {
            while (!Volatile.Read(ref stop))
            {
                Verify.Equal(m.Processor.Run().Kind, ExitKind.Cancelled, "Exit");
                Interlocked.Increment(ref returned);
            }
        });
        for (int i = 0; i < 300; i++)
        {
            int before = Volatile.Read(ref returned);
            m.Processor.Cancel();
            Verify.True(SpinWait.SpinUntil(() => Volatile.Read(ref returned) > before, 2000), $"Cancel {i} is returned");
        }
        Volatile.Write(ref stop, true);
        m.Processor.Cancel();
        runner.Join("The runner");
        Verify.True(returned >= 300, "One return for each cancel");
    }

    private static void Latency(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        for (int i = 0; i < 20; i++)
        {
            GuestThread runner = c.Start("runner", () => m.Processor.Run());
            LifecycleCases.WaitUntilRunning(m);
            long start = Stopwatch.GetTimestamp();
            m.Processor.Cancel();
            runner.Join("Run after the cancel", 3000);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            Verify.True(took < TimeSpan.FromSeconds(1), $"Cancel {i} took {took.TotalMilliseconds:0.#} ms");
        }
    }

    private static void EndsString(ConformanceContext c)
    {
        const ulong Length = 0x4000_0000;
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                a.rep.movsb();
                a.hlt();
            },
            configure: o => o with { InstructionBudget = 0 });
        // A gigabyte of the same page: the page table of the first 2 MiB is used by every page directory entry.
        const ulong Directory = GuestLayout.HighMemory, Table = GuestLayout.HighMemory + 0x1000;
        for (ulong i = 0; i < 512; i++)
        {
            m.Poke(Directory + (8 * i), Table | 7);
            m.Poke(Table + (8 * i), (GuestLayout.HighMemory + 0x2000) | 7);
        }
        m.Poke(GuestLayout.LongTables + 0x1000 + 8, Directory | 7);
        m.Poke(GuestLayout.LongTables + 0x1000 + 16, Directory | 7);
        m[Register.Rsi] = 0x4000_0000;
        m[Register.Rdi] = 0x8000_0000;
        m[Register.Rcx] = Length;
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        Thread.Sleep(5);
        m.Processor.Cancel();
        runner.Join("Run after the cancel", 3000);
        Verify.True(exit.Kind is ExitKind.Cancelled or ExitKind.Halt, $"Cancelled, or already finished ({exit})");
        ulong done = Length - m[Register.Rcx];
        m.VerifyRegisters((Register.Rsi, 0x4000_0000 + done), (Register.Rdi, 0x8000_0000 + done));
        if (done == Length)
            return;
        m.VerifyRegisters((Register.Rip, GuestLayout.Code));
        m[Register.Rcx] = 100;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rcx, 0), (Register.Rdi, 0x8000_0000 + done + 100));
    }

    private static void EndsFaultLoop(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.ud2(), configure: o => o with { InstructionBudget = 0 });
        m.Assemble(64, GuestLayout.Data, a => a.iretq());
        m.SetHandler(6, GuestLayout.Data);
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        Thread.Sleep(20);
        Verify.True(!runner.Ended, $"The guest faults for ever ({exit})");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
    }

    private static void EndsSelfJump(ConformanceContext c)
    {
        foreach (GuestMode mode in (GuestMode[])[GuestMode.Real, GuestMode.Protected16, GuestMode.Protected32, GuestMode.Long,
            GuestMode.Compatibility])
        {
            GuestMachine m = c.Enter(
                mode,
                a =>
                {
                    Label here = a.CreateLabel();
                    a.Label(ref here);
                    a.jmp(here);
                },
                configure: o => o with { InstructionBudget = 0 });
            VpExit exit = default;
            GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
            Thread.Sleep(2);
            m.Processor.Cancel();
            runner.Join($"Run in {mode} after the cancel");
            Verify.Equal(exit.Kind, ExitKind.Cancelled, $"Exit in {mode}");
            m.VerifyRegisters((Register.Rip, GuestLayout.Code));
        }
    }

    private static void BudgetExact(ConformanceContext c)
    {
        GuestMachine m = c.Enter(
            GuestMode.Long,
            a =>
            {
                Label again = a.CreateLabel();
                a.Label(ref again);
                for (int i = 0; i < 9; i++)
                    a.inc(rax);
                a.jmp(again);
            },
            configure: o => o with { InstructionBudget = 1005 });
        m.RunTo(ExitKind.Cancelled);
        m.VerifyRegisters((Register.Rax, 905));
        Verify.True(!m.Processor.WithdrawCancel(), "The latch is not set");
        m.RunTo(ExitKind.Cancelled);
        m.VerifyRegisters((Register.Rax, 1809));
    }

    private static void InstructionsCounted(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(ecx, 100);
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.nop();
            a.dec(ecx);
            a.jne(again);
            a.@out((byte)GuestLayout.MarkPort, al);
            a.nop();
            a.hlt();
        });
        m.RunToMark();
        Verify.Equal(m.Processor.Counters.Instructions, 302UL, "Instructions up to the port write");
        m.RunToHalt();
        Verify.Equal(m.Processor.Counters.Instructions, 304UL, "Instructions up to HLT");
    }
}
