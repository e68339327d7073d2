using Iced.Intel;
using Vmm.Emulator;
using Vmm.Testing;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.SelfTests;

[Collection(EmulatorCollection.Name)]
public sealed class DiagnosticsTests
{
    private static readonly ConformanceOptions s_hasty = new() { Timeout = TimeSpan.FromMilliseconds(200),
        Grace = TimeSpan.FromSeconds(2) };

    private static ConformanceCase Case(Action<ConformanceContext> body) => new("a.b", "A title", "An oracle", body);

    [Fact]
    public void Failure_shows_registers_before_now_and_expected_the_last_exits_and_the_code()
    {
        CaseResult result = ConformanceRunner.RunCase(new EmulatorHypervisor(), Case(c =>
        {
            GuestMachine m = c.Enter(GuestMode.Long, a =>
            {
                for (int i = 0; i < 20; i++)
                    a.@out((byte)i, al);
                a.mov(ebx, 5);
                a.hlt();
                a.bswap(rdx);
            });
            for (int i = 0; i < 20; i++)
                m.RunToPort((ushort)i);
            m.RunToHalt();
            m.VerifyRegisters((Register.Rbx, 6), (Register.Rax, 0));
        }));
        result.Message.Should().Contain("Rbx expected 0x6, got 0x5").And.NotContain("Rax");
        result.Diagnostics.Should().Contain("Last exits (21 in all)");
        result.Diagnostics.Should().Contain("#21 Halt").And.Contain("#6 PortIo").And.NotContain("#5 PortIo");
        result.Diagnostics.Should().MatchRegex("Rbx +0{16} +0{15}5 +0{15}6 <-- wrong");
        result.Diagnostics.Should().Contain("bswap rdx");
    }

    [Fact]
    public void Exception_that_no_case_expects_is_shown_with_its_frame()
    {
        CaseResult result = ConformanceRunner.RunCase(new EmulatorHypervisor(),
            Case(c => c.Enter(GuestMode.Protected32, a => a.ud2()).RunToHalt()));
        result.Message.Should().Contain("Expected Halt, got the guest took").And.Contain("Vector = 6").And.Contain("Rip = 32768");
    }

    [Fact]
    public void Endless_guest_is_cancelled_by_the_watchdog()
    {
        CaseResult result = ConformanceRunner.RunCase(new EmulatorHypervisor(), Case(c => Spin(c).RunToHalt()), null, s_hasty);
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Abandoned.Should().BeFalse();
        result.Message.Should().Contain("Not finished after 0.2 s").And.Contain("cancelled");
    }

    [Fact]
    public void Processor_that_ignores_cancels_is_abandoned_and_reported()
    {
        Deaf? processor = null;
        BrokenHypervisor deaf = new(new EmulatorHypervisor()) { Processor = (partition, inner) => processor = new Deaf(partition, inner) };
        CaseResult result = ConformanceRunner.RunCase(
            deaf, Case(c => Spin(c).RunToHalt()), null, s_hasty with { Grace = TimeSpan.FromMilliseconds(200) });
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Abandoned.Should().BeTrue();
        result.Diagnostics.Should().Contain("not readable");
        processor!.Release();
    }

    [Fact]
    public void Lost_guest_ends_by_its_instruction_budget()
    {
        CaseResult result = ConformanceRunner.RunCase(new EmulatorHypervisor(), Case(c =>
        {
            GuestMachine m = c.Enter(GuestMode.Long, Loop);
            m.RunToHalt();
        }));
        result.Message.Should().Contain("Expected Halt, got Cancelled");
    }

    private static GuestMachine Spin(ConformanceContext c) => c.Enter(GuestMode.Long, Loop,
        configure: o => o with { InstructionBudget = 0 });

    private static void Loop(Assembler a)
    {
        Label here = a.CreateLabel();
        a.Label(ref here);
        a.jmp(here);
    }

    /// <summary>Does not return from a run before the test is over.</summary>
    private sealed class Deaf(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
    {
        private volatile bool _released;

        public void Release()
        {
            _released = true;
            Inner.Cancel();
        }

        public override void Cancel()
        {
        }

        public override VpExit Run()
        {
            VpExit exit;
            do
            {
                exit = base.Run();
            }
            while (exit.Kind == ExitKind.Cancelled && !_released);
            return exit;
        }
    }
}
