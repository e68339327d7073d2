namespace Vmm.Core.Tests.Backends;

/// <summary>Everything that may be called from any thread, called from several at once while a guest runs.</summary>
public sealed class ConcurrencyTests
{
    private const ulong Page = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(SlatFormat.Ept)]
    [InlineData(SlatFormat.None)]
    public async Task Guest_runs_on_through_pauses_remaps_and_injections_and_each_cancel_is_answered_once(SlatFormat format)
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new() { SlatFormat = format });
        using GuestMemory memory = partition.AllocateMemory(16 * Page);
        // 0x1000: inc dword [0x2000] / jmp 0x1000
        memory.Write(Page, [0x66, 0xFF, 0x06, 0x00, 0x20, 0xEB, 0xF9]);
        partition.Memory.Map(0, memory, 0, 8 * Page, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        StartAt(processor, 0x1000);

        using CancellationTokenSource stop = new();
        int cancelled = 0;
        Task runner = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                VpExit exit = processor.Run();
                if (exit.Kind != ExitKind.Cancelled)
                    throw new InvalidOperationException($"the guest left with {exit}");
                Interlocked.Increment(ref cancelled);
            }
        });
        Task[] others =
        [
            Repeat(stop.Token, () =>
            {
                partition.Pause();
                uint before = BitConverter.ToUInt32(memory.GetSpan(2 * Page, 4));
                Thread.SpinWait(2000);
                BitConverter.ToUInt32(memory.GetSpan(2 * Page, 4)).Should().Be(before, "a paused partition runs nothing");
                partition.Resume();
            }),
            Repeat(stop.Token, () =>
            {
                partition.Memory.Map(0x2_0000, memory, 8 * Page, 4 * Page, GuestAccess.ReadWrite);
                partition.Memory.Protect(0x2_1000, Page, GuestAccess.Read);
                partition.Memory.Unmap(0x2_0000, 4 * Page);
            }),
            Repeat(stop.Token, () => processor.Counters.TotalExits.Should().BeLessThan(ulong.MaxValue)),
        ];
        int asked = 0;
        for (int i = 0; i < 200; i++)
        {
            int before = Volatile.Read(ref cancelled);
            processor.Cancel();
            asked++;
            SpinWait.SpinUntil(() => Volatile.Read(ref cancelled) != before, Patience).Should().BeTrue("a cancel is answered");
        }
        cancelled.Should().Be(asked);
        // However often it is disturbed, the guest gets on; how fast is the host's affair.
        SpinWait.SpinUntil(() => BitConverter.ToUInt32(memory.GetSpan(2 * Page, 4)) > 1000, Patience).Should().BeTrue("the guest runs on");
        await stop.CancelAsync();
        processor.Cancel();
        await Task.WhenAll(others.Append(runner)).WaitAsync(Patience);
    }

    [Fact]
    public async Task Dispose_ends_a_guest_that_never_leaves_and_frees_only_afterwards()
    {
        for (int i = 0; i < 50; i++)
        {
            IPartition partition = Hypervisors.Emulator().CreatePartition(new());
            GuestMemory memory = partition.AllocateMemory(2 * Page);
            memory.Write(Page, [0xEB, 0xFE]);
            partition.Memory.Map(0, memory, 0, 2 * Page, GuestAccess.All);
            memory.Dispose();
            IVirtualProcessor processor = partition.Processors[0];
            StartAt(processor, 0x1000);
            Task<VpExit> run = Task.Run(processor.Run);
            if (i % 2 == 0)
                await Task.Delay(1);
            Task[] disposals = [Task.Run(partition.Dispose), Task.Run(partition.Dispose)];
            await Task.WhenAll(disposals).WaitAsync(Patience);
            await run.Invoking(r => r.WaitAsync(Patience)).Should().ThrowAsync<ObjectDisposedException>();
            memory.IsClosed.Should().BeTrue();
        }
    }

    [Fact]
    public async Task Cancel_latency_is_bounded_while_a_guest_spins()
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new());
        using GuestMemory memory = partition.AllocateMemory(2 * Page);
        memory.Write(Page, [0xEB, 0xFE]);
        partition.Memory.Map(0, memory, 0, 2 * Page, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        StartAt(processor, 0x1000);
        for (int i = 0; i < 20; i++)
        {
            Task<VpExit> run = Task.Run(processor.Run);
            await Task.Delay(2);
            processor.Cancel();
            (await run.WaitAsync(TimeSpan.FromSeconds(5))).Kind.Should().Be(ExitKind.Cancelled);
        }
    }

    private static Task Repeat(CancellationToken stop, Action action) => Task.Factory.StartNew(
        () =>
        {
            while (!stop.IsCancellationRequested)
            {
                action();
                Thread.Yield();
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void StartAt(IVirtualProcessor processor, ulong address)
    {
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        state.General.Rip = address;
        processor.SetState(RegisterGroups.General | RegisterGroups.Segments, in state);
    }
}
