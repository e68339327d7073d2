namespace Vmm.Conformance.Suites;

/// <summary>Pause and resume, and who may touch a processor when.</summary>
internal static class ThreadingCases
{
    public static ConformanceCase[] All =>
    [
        new("threading.pause_stops", "Pause returns when the guest stands still, Resume lets it go on, and neither makes an exit",
            "contract 2: Pause", PauseStops),
        new("threading.pause_nests", "Pauses nest, and a Resume too many is refused", "contract 2 and 7", PauseNests),
        new("threading.paused_run_answers_cancel", "A run that waits in a pause returns Cancelled when cancelled",
            "contract 2: until resume or cancel", PausedRunAnswersCancel),
        new("threading.second_runner_refused", "A second runner gets an error naming the first thread, and the first is not disturbed",
            "contract 4: Run", SecondRunnerRefused),
        new("threading.registers_while_running_refused", "Register access while another thread runs is an error", "contract 4: not a race",
            RegistersWhileRunningRefused),
        new("threading.migration", "A processor may be run by one thread after another", "contract 4: moving between threads", Migration)
        {
            Requires = [Capability.ThreadMigration],
        },
        new("threading.counters_while_running", "Counters may be read while another thread runs", "contract 4: IVirtualProcessor threading",
            CountersWhileRunning),
    ];

    private static void PauseStops(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        for (int i = 0; i < 5; i++)
        {
            LifecycleCases.WaitUntilRunning(m);
            m.Partition.Pause();
            ulong first = m.Peek(GuestLayout.Data, 4);
            Thread.Sleep(5);
            Verify.Equal(m.Peek(GuestLayout.Data, 4), first, "The guest's counter while paused");
            Verify.True(!runner.Ended, "Run does not return because of a pause");
            m.Partition.Resume();
        }
        LifecycleCases.WaitUntilRunning(m);
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "The one exit");
    }

    private static void PauseNests(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        Verify.Throws<InvalidOperationException>(m.Partition.Resume, "Resume without Pause");
        m.Partition.Pause();
        m.Partition.Pause();
        GuestThread runner = c.Start("runner", () => m.Processor.Run());
        m.Partition.Resume();
        Thread.Sleep(20);
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 0UL, "The guest's counter after one of two pauses was undone");
        m.Partition.Resume();
        LifecycleCases.WaitUntilRunning(m);
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Throws<InvalidOperationException>(m.Partition.Resume, "Resume once too often");
    }

    private static void PausedRunAnswersCancel(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        m.Partition.Pause();
        VpExit exit = default;
        GuestThread runner = c.Start("runner", () => exit = m.Processor.Run());
        Thread.Sleep(10);
        Verify.True(!runner.Ended, "Run blocks while paused");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit");
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 0UL, "No guest code ran");
        m.Partition.Resume();
    }

    private static void SecondRunnerRefused(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        VpExit exit = default;
        GuestThread runner = c.Start("the first runner", () => exit = m.Processor.Run());
        LifecycleCases.WaitUntilRunning(m);
        InvalidOperationException error = Verify.Throws<InvalidOperationException>(() => m.Processor.Run(), "A second runner");
        Verify.True(
            error.Message.Contains("the first runner", StringComparison.Ordinal) || error.Message.Contains($"{runner.Id}",
                StringComparison.Ordinal),
            $"The message names the first thread ('{error.Message}')");
        LifecycleCases.WaitUntilRunning(m);
        m.Processor.Cancel();
        runner.Join("The first runner after the cancel");
        Verify.Equal(exit.Kind, ExitKind.Cancelled, "Exit of the first runner");
    }

    private static void RegistersWhileRunningRefused(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        GuestThread runner = c.Start("runner", () => m.Processor.Run());
        LifecycleCases.WaitUntilRunning(m);
        Verify.Throws<InvalidOperationException>(() => _ = m.Processor[Register.Rax], "Reading a register");
        Verify.Throws<InvalidOperationException>(() => m.Processor[Register.Rax] = 1, "Writing a register");
        Verify.Throws<InvalidOperationException>(() => m.Processor.GetState(RegisterGroups.General, out _), "GetState");
        Verify.Throws<InvalidOperationException>(() => m.Processor.GetXsave(new byte[m.Processor.XsaveSize]), "GetXsave");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(m[Register.Rax] & 0xFFFF_FFFF, m.Peek(GuestLayout.Data,
            4) + ((m[Register.Rip] - GuestLayout.Code) is 1 or 2 ? 1UL : 0), "EAX and memory agree");
    }

    private static void Migration(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        for (int i = 0; i < 4; i++)
        {
            VpExit exit = default;
            GuestThread runner = c.Start($"runner {i}", () => exit = m.Processor.Run());
            LifecycleCases.WaitUntilRunning(m);
            m.Processor.Cancel();
            runner.Join($"Run on thread {i}");
            Verify.Equal(exit.Kind, ExitKind.Cancelled, $"Exit on thread {i}");
        }
    }

    private static void CountersWhileRunning(ConformanceContext c)
    {
        GuestMachine m = LifecycleCases.Spinning(c);
        GuestThread runner = c.Start("runner", () => m.Processor.Run());
        LifecycleCases.WaitUntilRunning(m);
        Verify.Equal(m.Processor.Counters.TotalExits, 0UL, "Exits before the first");
        m.Processor.Cancel();
        runner.Join("Run after the cancel");
        Verify.Equal(m.Processor.Counters.Exits[(int)ExitKind.Cancelled], 1UL, "Cancelled exits");
    }
}
