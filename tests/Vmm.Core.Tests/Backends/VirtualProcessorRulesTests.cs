using Vmm.Testing;

namespace Vmm.Core.Tests.Backends;

/// <summary>The rules that the base classes keep for every backend, seen through scripts.</summary>
public sealed class VirtualProcessorRulesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ScriptedPartition _partition = new ScriptedHypervisor().Create(new() { ProcessorCount = 2 });

    private ScriptedProcessor Processor => _partition.Scripted[0];

    public void Dispose() => _partition.Dispose();

    [Fact]
    public async Task Instruction_is_no_longer_pending_when_a_later_run_was_cancelled_in_the_guest()
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 1), ScriptedStep.Wait);
        Processor.Run();
        Processor.IsPending.Should().BeTrue();
        Task<VpExit> run = Task.Run(Processor.Run);
        await Task.Delay(20);
        Processor.Cancel();
        (await run.WaitAsync(Patience)).Kind.Should().Be(ExitKind.Cancelled);
        Processor.IsPending.Should().BeFalse("the run finished the instruction before it entered the guest");
        Processor[Register.Rax] = 1;
    }

    [Fact]
    public void Instruction_stays_pending_when_the_next_run_was_cancelled_before_it_began()
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 1), ScriptedStep.Halt);
        Processor.Run();
        Processor.Cancel();
        Processor.Run().Kind.Should().Be(ExitKind.Cancelled);
        Processor.IsPending.Should().BeTrue();
        Processor.Invoking(p => p[Register.Rax] = 1).Should().Throw<InvalidOperationException>().WithMessage("*pending*");
        Processor.CompletePending(out _).Should().Be(CompletionStatus.Done);
        Processor[Register.Rax] = 1;
        Processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public void Run_that_owes_an_answer_names_the_call_that_gives_it()
    {
        Processor.Play(ScriptedStep.PortRead(0x60, 1));
        Processor.Run();
        Processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>().WithMessage("*PortIo: read port 0x60, 1 byte(s)*call CompleteRead before*");
        Processor.Invoking(p => p.CompleteWrite(WriteResolution.Discard)).Should().Throw<InvalidOperationException>().WithMessage("*does not take a decision*");
    }

    [Fact]
    public void Areas_that_are_too_small_name_their_parameter() =>
        Processor.Invoking(p => p.GetXsave(new byte[10])).Should().Throw<ArgumentException>().WithParameterName("area").WithMessage("*allocate XsaveSize*");

    [Fact]
    public void Options_that_are_no_options_are_refused_by_name()
    {
        ScriptedHypervisor hypervisor = new();
        hypervisor.Invoking(h => h.CreatePartition(new() { LocalApic = (LocalApicMode)9 })).Should().Throw<ArgumentOutOfRangeException>().WithMessage("LocalApic must be*");
        hypervisor.Invoking(h => h.CreatePartition(new() { CpuidExits = null! })).Should().Throw<ArgumentException>().WithMessage("CpuidExits is null*");
        hypervisor.Invoking(h => h.CreatePartition(new() { MsrPolicy = new() { Ranges = null! } })).Should().Throw<ArgumentException>().WithMessage("MsrPolicy.Ranges is null*");
        hypervisor.Invoking(h => h.CreatePartition(new() { CpuProfile = CpuProfiles.V1 with { Leaves = null! } })).Should().Throw<ArgumentException>().WithMessage("CpuProfile.Leaves is null*");
    }

    [Fact]
    public void Cancel_requests_coalesce_and_can_be_withdrawn()
    {
        Processor.Cancel();
        Processor.Cancel();
        Processor.Run().Kind.Should().Be(ExitKind.Cancelled);
        Processor.Run().Kind.Should().Be(ExitKind.Halt);
        Processor.Cancel();
        Processor.WithdrawCancel().Should().BeTrue();
        Processor.WithdrawCancel().Should().BeFalse();
        Processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public async Task Second_runner_is_refused_with_the_name_of_the_first_and_registers_too()
    {
        Processor.Play(ScriptedStep.Wait);
        Thread thread = new(() => Processor.Run()) { Name = "runner one" };
        thread.Start();
        await Task.Delay(20);
        Processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>().WithMessage("*runner one*");
        Processor.Invoking(p => p[Register.Rip]).Should().Throw<InvalidOperationException>();
        Processor.Cancel();
        thread.Join(Patience).Should().BeTrue();
        _ = Processor[Register.Rip];
    }

    [Fact]
    public async Task Reset_that_is_refused_because_one_processor_runs_leaves_the_others_usable()
    {
        _partition.Scripted[1].Play(ScriptedStep.Wait);
        Task<VpExit> run = Task.Run(_partition.Scripted[1].Run);
        await Task.Delay(20);
        _partition.Invoking(p => p.Reset(true)).Should().Throw<InvalidOperationException>();
        _partition.Scripted[1].Cancel();
        (await run.WaitAsync(Patience)).Kind.Should().Be(ExitKind.Cancelled);
        Processor.Run().Kind.Should().Be(ExitKind.Halt);
        _partition.Reset(true);
    }

    [Fact]
    public async Task Pause_holds_a_run_until_resume_and_neither_makes_nor_takes_a_cancel()
    {
        Processor.Play(ScriptedStep.Wait, ScriptedStep.PortWrite(0x80, 1, 1));
        Task<VpExit> run = Task.Run(Processor.Run);
        await Task.Delay(20);
        _partition.Pause();
        _partition.Pause();
        Processor.Inject(InjectedEvent.Nmi);
        _partition.Resume();
        await Task.Delay(30);
        run.IsCompleted.Should().BeFalse("pauses nest");
        _partition.Resume();
        (await run.WaitAsync(Patience)).Kind.Should().Be(ExitKind.PortIo);
        Processor.WithdrawCancel().Should().BeFalse();
        _partition.Invoking(p => p.Resume()).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public async Task Cancel_ends_a_run_that_a_pause_holds()
    {
        _partition.Pause();
        Task<VpExit> run = Task.Run(Processor.Run);
        await Task.Delay(20);
        Processor.Cancel();
        (await run.WaitAsync(Patience)).Kind.Should().Be(ExitKind.Cancelled);
        _partition.Resume();
        Processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public void Processor_that_shut_down_runs_again_after_a_reset_or_new_state()
    {
        Processor.Play(ScriptedStep.Shutdown, ScriptedStep.Of(new VpExit(new FailedExit { Code = 5 })), ScriptedStep.Halt);
        Processor.Run().Kind.Should().Be(ExitKind.Shutdown);
        Processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>().WithMessage("*Shutdown*");
        Processor[Register.Rip] = 0x1000;
        Processor.Run().Failed.Code.Should().Be(5);
        Processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>().WithMessage("*Failed*");
        _partition.Reset(true);
        Processor.Run().Kind.Should().Be(ExitKind.Shutdown, "the script starts again");
    }

    [Fact]
    public void Completion_of_the_wrong_kind_is_refused_and_changes_nothing()
    {
        Processor.Play(ScriptedStep.PortRead(0x60, 1), ScriptedStep.ViolatingWrite(0, 1, 1), ScriptedStep.MsrWrite(1, 1));
        Processor.Invoking(p => p.CompleteRead(1)).Should().Throw<InvalidOperationException>();
        Processor.Run();
        Processor.Invoking(p => p.CompleteWrite(WriteResolution.Discard)).Should().Throw<InvalidOperationException>();
        Processor.Invoking(p => p.CompleteCpuid(default)).Should().Throw<InvalidOperationException>();
        Processor.Invoking(p => p.CompleteWithFault()).Should().Throw<InvalidOperationException>();
        Processor.Invoking(p => p.CompletePending(out _)).Should().Throw<InvalidOperationException>();
        Processor.CompleteRead(1);
        Processor.Invoking(p => p.CompleteRead(2)).Should().Throw<InvalidOperationException>();
        Processor.Run();
        Processor.Invoking(p => p.CompleteRead(2)).Should().Throw<InvalidOperationException>();
        Processor.Invoking(p => p.CompleteWrite((WriteResolution)9)).Should().Throw<ArgumentOutOfRangeException>();
        Processor.CompleteWrite(WriteResolution.Discard);
        Processor.Run();
        Processor.CompleteWithFault();
        Processor.Completions.Select(completion => completion.Kind).Should().Equal(
            ScriptedCompletionKind.Read, ScriptedCompletionKind.Write, ScriptedCompletionKind.Fault);
    }

    [Fact]
    public async Task Dispose_from_a_handler_of_the_running_thread_does_not_wait_for_itself()
    {
        Processor.Play(ScriptedStep.PortRead(0x60, 1), ScriptedStep.Halt);
        PortBus ports = new();
        ports.Register(0x60, 1, new DisposingDevice(_partition));
        Task<VpExit> run = Task.Run(() => new VirtualProcessorLoop(Processor, ports, new()).Run());
        Func<Task> wait = () => run.WaitAsync(Patience);
        await wait.Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public void Second_event_is_refused_and_the_first_is_not_lost()
    {
        Processor.Inject(InjectedEvent.Interrupt(0x40)).Should().Be(InjectionResult.Deferred);
        Processor.Invoking(p => p.Inject(InjectedEvent.Interrupt(0x41))).Should().Throw<InvalidOperationException>().WithMessage("*64*");
        Processor.Inject(InjectedEvent.Nmi).Should().Be(InjectionResult.Injected);
        Processor[Register.Rflags] = 0x202;
        Processor.Run();
        Processor.Delivered.Should().Equal(InjectedEvent.Nmi, InjectedEvent.Interrupt(0x40));
        Processor.Invoking(p => p.Inject(InjectedEvent.Exception(32))).Should().Throw<ArgumentOutOfRangeException>();
    }

    private sealed class DisposingDevice(IPartition partition) : IPortDevice
    {
        public uint Read(ushort port, int size)
        {
            partition.Dispose();
            return 0;
        }

        public void Write(ushort port, int size, uint value)
        {
        }
    }
}
