using Vmm.Testing;

namespace Vmm.Core.Tests.Testing;

public sealed class ScriptedHypervisorTests
{
    [Fact]
    public void Script_is_played_in_order_and_ends_halted()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ScriptedProcessor processor = partition.Scripted[0].Play(
            ScriptedStep.Of(new VpExit(ExitKind.Hypercall)).With(Register.Rax, 3).With(Register.Rip, 0x1003), ScriptedStep.Of(new VpExit(new CpuidExit { Leaf = 7 })));
        processor.Run().Kind.Should().Be(ExitKind.Hypercall);
        processor[Register.Rax].Should().Be(3);
        processor[Register.Rip].Should().Be(0x1003);
        processor.Run().Cpuid.Leaf.Should().Be(7);
        processor.CompleteCpuid(new CpuidResult(1, 2, 3, 4));
        processor.Run().Kind.Should().Be(ExitKind.Halt);
        processor.Run().Kind.Should().Be(ExitKind.Halt);
        processor.Completions.Should().ContainSingle().Which.Cpuid.Should().Be(new CpuidResult(1, 2, 3, 4));
    }

    [Fact]
    public void Contract_is_kept_a_read_must_be_completed()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ScriptedProcessor processor = partition.Scripted[0].Play(ScriptedStep.PortRead(0x60, 1));
        processor.Run();
        processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>();
        processor.CompleteRead(0xFFF);
        processor.Completions[0].Value.Should().Be(0xFF);
        processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public async Task Wait_ends_with_an_event_that_the_guest_can_take()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ScriptedProcessor processor = partition.Scripted[0].Play(ScriptedStep.Wait, ScriptedStep.PortWrite(0x20, 1, 0x20));
        Task<VpExit> run = Task.Run(processor.Run);
        processor.Inject(InjectedEvent.Interrupt(0x30)).Should().Be(InjectionResult.Deferred);
        await Task.Delay(20);
        run.IsCompleted.Should().BeFalse("interrupts are off after power-on");
        processor.Inject(InjectedEvent.Nmi);
        (await run.WaitAsync(TimeSpan.FromSeconds(10))).PortIo.Port.Should().Be(0x20);
        processor.Delivered.Should().Equal(InjectedEvent.Nmi);
    }

    [Fact]
    public async Task Injection_from_another_thread_never_keeps_the_processor_from_running()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ScriptedProcessor processor = partition.Scripted[0];
        using CancellationTokenSource stop = new();
        Task injector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    processor.Inject(InjectedEvent.Nmi);
                }
                catch (InvalidOperationException)
                {
                    // The one before has not been taken yet.
                }
            }
        });
        for (int i = 0; i < 100_000; i++)
        {
            processor.Run();
            _ = processor[Register.Rip];
        }
        await stop.CancelAsync();
        await injector;
        processor.Delivered.Should().NotBeEmpty();
    }

    [Fact]
    public async Task Dispose_ends_a_run_that_waits()
    {
        ScriptedPartition partition = new ScriptedHypervisor().Create();
        ScriptedProcessor processor = partition.Scripted[0].Play(ScriptedStep.Wait);
        Task run = Task.Run(processor.Run);
        await Task.Delay(20);
        await Task.Run(partition.Dispose).WaitAsync(TimeSpan.FromSeconds(10));
        await run.Invoking(r => r.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<ObjectDisposedException>();
    }
}
