using System.Diagnostics;
using System.Globalization;
using Vmm.Kvm;
using Vmm.Kvm.Interop;

namespace Vmm.Benchmarks.KvmCosts;

/// <summary>
/// What the managed side of KVM costs beside the same loops in C, in turns, the best of many batches each: a call, and a whole exit through
/// <see cref="IVirtualProcessor.Run"/>.
/// </summary>
internal static class KvmCost
{
    private const int Batches = 200, CallsOfBatch = 2000, ExitsOfBatch = 100, WarmUps = 20;
    private const double MostNanosecondsPerCall = 50, MostExitRatio = 1.03;
    private const ulong CodeAddress = 0x1000;

    // out 0x10, al; jmp to it
    private static ReadOnlySpan<byte> Code => [0xE6, 0x10, 0xEB, 0xFC];

    /// <summary>Prints the figures. Status 0 where they are inside the limits.</summary>
    public static int Run()
    {
        using CPeer peer = new(Code);
        using IPartition partition = new KvmProvider().Create(HypervisorOptions.Empty).CreatePartition(new());
        using GuestMemory memory = partition.AllocateMemory(0x1_0000);
        memory.Write(CodeAddress, Code);
        partition.Memory.Map(0, memory, 0, memory.Length, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.Segments, in state);
        processor[Register.Rip] = CodeAddress;
        int file = Libc.Open("/dev/kvm", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        (double call, double peerCall) = Best(CallsOfBatch, peer.Calls, count => Calls(file, count));
        (double exit, double peerExit) = Best(ExitsOfBatch, peer.Exits, count => Exits(processor, count));
        _ = Libc.Close(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exits(processor, 1000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        bool good = call - peerCall <= MostNanosecondsPerCall && exit / peerExit <= MostExitRatio && allocated == 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            best of {Batches} batches, nanoseconds        C    managed
            KVM_GET_API_VERSION          {peerCall,9:F1}  {call,9:F1}   {call - peerCall:+0.0;-0.0} (at most {MostNanosecondsPerCall})
            exit for OUT, real mode      {peerExit,9:F0}  {exit,9:F0}   x {exit / peerExit:F3} (at most {MostExitRatio})
            bytes allocated in 1000 exits                {allocated,5}   (none)
            """));
        return good ? 0 : 1;
    }

    private static (double Managed, double Peer) Best(int count, Func<int, long> peer, Func<int, long> managed)
    {
        // What is measured is compiled code: the compiler gets calls to see and time to work.
        for (int i = 0; i < WarmUps; i++)
        {
            managed(count);
            Thread.Sleep(20);
        }
        double bestPeer = double.MaxValue, bestManaged = double.MaxValue;
        for (int i = 0; i < Batches; i++)
        {
            long time = peer(count);
            if (time < 0)
                throw new InvalidOperationException("The C loop met another exit than expected.");
            bestPeer = Math.Min(bestPeer, time / (double)count);
            bestManaged = Math.Min(bestManaged, managed(count) / (double)count);
        }
        return (bestManaged, bestPeer);
    }

    private static long Calls(int file, int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            _ = Libc.Control(file, KvmIoctl.GetApiVersion, 0);
        return Nanoseconds(start);
    }

    private static long Exits(IVirtualProcessor processor, int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            if (processor.Run().Kind != ExitKind.PortIo)
                throw new InvalidOperationException("The guest met another exit than expected.");
        }
        return Nanoseconds(start);
    }

    private static long Nanoseconds(long start) => (long)((Stopwatch.GetTimestamp() - start) * (1e9 / Stopwatch.Frequency));
}
