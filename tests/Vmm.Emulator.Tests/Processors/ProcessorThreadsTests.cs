using System.Diagnostics;

namespace Vmm.Emulator.Tests.Processors;

/// <summary>Threads that use one partition's processors and address space at once.</summary>
public sealed class ProcessorThreadsTests
{
    private const ulong Tables = 0x4000, Data = 0x20_0000;

    [Fact]
    public void Pending_instruction_is_finished_and_state_is_read_while_paused()
    {
        using IPartition partition = Create(2);
        using GuestMemory memory = Load(partition, [0xE4, 0x60, 0xF4]); // in al, 60h; hlt
        IVirtualProcessor processor = partition.Processors[0];
        processor.Run().Kind.Should().Be(ExitKind.PortIo);
        partition.Pause();
        processor.CompleteRead(0x5A);
        processor.CompletePending(out VpExit _).Should().Be(CompletionStatus.Done);
        (processor[Register.Rax] & 0xFF).Should().Be(0x5A);
        partition.Resume();
        processor.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public void Partition_is_freed_only_when_no_thread_is_inside_it()
    {
        for (int round = 0; round < 25; round++)
        {
            IPartition partition = Create(3);
            using GuestMemory memory = Load(partition, [0xEB, 0xFE]); // jmp $
            Thread[] threads =
            [
                Start(() => partition.Processors[0].Run()),
                Start(() => Forever(() => partition.Processors[1].GetState(RegisterGroups.All, out ProcessorState _))),
                Start(() => Forever(() => partition.Processors[2].Translate(0x1234, GuestAccess.Read))),
                Start(() => Forever(() => partition.Memory.Translate(0x1234, GuestAccess.Read))),
                Start(() => Forever(() => partition.Processors[1].Cancel())),
            ];
            Thread.Sleep(round % 4);
            partition.Dispose();
            partition.Processors[1].Cancel();
            threads[4].Interrupt();
            foreach (Thread thread in threads[..4])
                thread.Join(5000).Should().BeTrue();
            threads[4].Join(5000).Should().BeTrue();
        }
    }

    [Fact]
    public void Translation_never_follows_tables_that_are_unmapped_under_it()
    {
        using IPartition partition = Create(2);
        using GuestMemory memory = Load(partition, [0xF4]);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.Control, out ProcessorState state);
        state.Control.Cr0 = 0x8000_0011;
        state.Control.Cr4 = 0x20;
        state.Control.Cr3 = Tables;
        state.Control.Efer = 0x500;
        processor.SetState(RegisterGroups.Control, state);
        using CancellationTokenSource over = new();
        int translated = 0;
        Thread reader = Start(() =>
        {
            while (!over.IsCancellationRequested)
            {
                LinearTranslationResult result = processor.Translate(Data + 0x123, GuestAccess.Read);
                if (result.Status == TranslationStatus.Success)
                {
                    result.PhysicalAddress.Should().Be(Data + 0x123);
                    translated++;
                }
            }
        });
        Stopwatch time = Stopwatch.StartNew();
        while (time.ElapsedMilliseconds < (Volatile.Read(ref translated) == 0 ? 5000 : 250))
        {
            using GuestMemory tables = partition.AllocateMemory(0x3000);
            tables.Write(0, BitConverter.GetBytes((Tables + 0x1000) | 3));
            tables.Write(0x1000, BitConverter.GetBytes((Tables + 0x2000) | 3));
            tables.Write(0x2008, BitConverter.GetBytes(Data | 0x83));
            partition.Memory.Map(Tables, tables, 0, 0x3000, GuestAccess.All);
            Thread.Yield();
            partition.Memory.Unmap(Tables, 0x3000);
        }
        over.Cancel();
        reader.Join(5000).Should().BeTrue();
        translated.Should().BePositive();
    }

    private static IPartition Create(int processors) => new EmulatorHypervisor().CreatePartition(new PartitionOptions { ProcessorCount = processors });

    /// <summary>Puts code where every processor begins, at the reset vector.</summary>
    private static GuestMemory Load(IPartition partition, ReadOnlySpan<byte> code)
    {
        GuestMemory memory = partition.AllocateMemory(0x1_0000);
        memory.Write(0xFFF0, code);
        partition.Memory.Map(0xFFFF_0000, memory, 0, 0x1_0000, GuestAccess.All);
        partition.Memory.Map(Data, memory, 0, 0x1000, GuestAccess.All);
        return memory;
    }

    private static Thread Start(Action action)
    {
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception e) when (e is ObjectDisposedException or ThreadInterruptedException)
            {
                // The end of the round.
            }
        }) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private static void Forever(Action action)
    {
        while (true)
        {
            action();
            Thread.Sleep(0);
        }
    }
}
