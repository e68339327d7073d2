using System.Diagnostics;
using Vmm.Kvm.Processors;

namespace Vmm.Kvm.Tests.Running;

public sealed class RunTests
{
    // out 0x10, al; jmp to it
    private static readonly byte[] s_ports = [0xE6, 0x10, 0xEB, 0xFC];

    // jmp $
    private static readonly byte[] s_spin = [0xEB, 0xFE];

    [SkippableFact]
    public void An_exit_allocates_nothing()
    {
        using RealModeGuest guest = new(KvmHost.Create(), s_ports);
        Exits(guest.Processor, 2000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exits(guest.Processor, 2000);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [SkippableFact]
    public void Cancels_from_another_thread_are_never_lost()
    {
        const int Cancels = 500;
        using RealModeGuest guest = new(KvmHost.Create(), s_spin);
        int cancelled = 0;
        Thread runner = new(() =>
        {
            while (cancelled < Cancels)
            {
                if (guest.Processor.Run().Kind == ExitKind.Cancelled)
                    Interlocked.Increment(ref cancelled);
            }
        });
        runner.Start();
        Random random = new(20_261_122);
        for (int i = 0; i < Cancels; i++)
        {
            Thread.SpinWait(random.Next(2000));
            guest.Processor.Cancel();
            long start = Stopwatch.GetTimestamp();
            SpinWait.SpinUntil(() => Volatile.Read(ref cancelled) > i, 10_000).Should().BeTrue("cancel {0} must end a run", i);
            Stopwatch.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(10));
        }
        runner.Join();
    }

    [SkippableFact]
    public void Partitions_disposed_while_cancelled_and_running_end()
    {
        IHypervisor hypervisor = KvmHost.Create();
        for (int i = 0; i < 30; i++)
        {
            RealModeGuest guest = new(hypervisor, s_spin);
            Thread runner = new(() =>
            {
                try
                {
                    while (true)
                        guest.Processor.Run();
                }
                catch (ObjectDisposedException)
                {
                    // What the test is about.
                }
            });
            bool stop = false;
            Thread canceller = new(() =>
            {
                while (!Volatile.Read(ref stop))
                    guest.Processor.Cancel();
            });
            runner.Start();
            canceller.Start();
            Thread.Sleep(1);
            guest.Dispose();
            runner.Join(10_000).Should().BeTrue();
            Volatile.Write(ref stop, true);
            canceller.Join(10_000).Should().BeTrue();
        }
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("assist=off")]
    public void Code_that_is_mapped_after_its_fetch_exited_runs_without_a_fault(string options)
    {
        const ulong Far = 0x2_0000;
        using RealModeGuest guest = new(KvmHost.Create(options), s_ports);
        guest.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode((ushort)(Far >> 4));
        guest.Processor.SetState(RegisterGroups.Segments, in state);
        guest.Processor[Register.Rip] = 0;
        VpExit exit = guest.Processor.Run();
        exit.Kind.Should().Be(ExitKind.SlatViolation);
        exit.SlatViolation.Address.Should().Be(Far);
        exit.SlatViolation.Access.Should().Be(GuestAccess.Execute);
        using GuestMemory memory = guest.Partition.AllocateMemory(0x1000);
        memory.Write(0, s_ports);
        guest.Partition.Memory.Map(Far, memory, 0, memory.Length, GuestAccess.All);
        guest.Processor.Run().Kind.Should().Be(ExitKind.PortIo);
        guest.Processor.GetState(RegisterGroups.Segments, out state);
        state.Segments.Cs.Base.Should().Be(Far);
        guest.Partition.Memory.Unmap(Far, memory.Length);
    }

    [SkippableFact]
    public void Counters_of_all_processors_are_as_far_from_the_hosts_after_start_reset_and_rest()
    {
        IHypervisor hypervisor = KvmHost.Create();
        using RealModeGuest guest = new(hypervisor, s_spin, new PartitionOptions { ProcessorCount = 4 });
        KvmVirtualProcessor[] processors = [.. guest.Partition.Processors.Cast<KvmVirtualProcessor>()];
        Skip.If(processors[0].ReadClock() is null, "The kernel does not tell offsets of the time-stamp counter.");
        Check("creation");
        guest.Partition.Reset(true);
        Check("reset");
        if (!hypervisor.Capabilities.Has(Capability.TimeControl))
            return;
        guest.Partition.SuspendTime();
        guest.Partition.ResumeTime();
        Check("rest");

        void Check(string after) =>
            processors.Select(processor => processor.TryGetOffset(out ulong offset) ? offset : 0).Distinct().Should().ContainSingle(
                "the processors' counters agree after {0}", after);
    }

    private static void Exits(IVirtualProcessor processor, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (processor.Run().Kind != ExitKind.PortIo)
                throw new InvalidOperationException("The guest met another exit than expected.");
        }
    }
}
