namespace Vmm.Kvm.Tests;

/// <summary>What a test starts as a process of its own: <c>spin</c> runs guests until it is killed.</summary>
public static class Program
{
    private const int Processors = 2;

    // jmp $
    private static ReadOnlySpan<byte> Spin => [0xEB, 0xFE];

    public static int Main(string[] arguments)
    {
        if (arguments is not ["spin"])
        {
            Console.Error.WriteLine("usage: Vmm.Kvm.Tests spin");
            return 2;
        }
        RealModeGuest guest = new(new KvmProvider().Create(HypervisorOptions.Empty), Spin,
            new PartitionOptions { ProcessorCount = Processors });
        foreach (IVirtualProcessor processor in guest.Partition.Processors)
            new Thread(() => processor.Run()).Start();
        Console.Out.WriteLine("running");
        Console.Out.Flush();
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
