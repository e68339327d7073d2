namespace Vmm.Kvm.Tests;

/// <summary>A partition with a page of real-mode code at 0x1000, for tests of what is around a guest.</summary>
internal sealed class RealModeGuest : IDisposable
{
    public const ulong CodeAddress = 0x1000;
    private readonly GuestMemory _memory;

    public RealModeGuest(IHypervisor hypervisor, ReadOnlySpan<byte> code, PartitionOptions? options = null)
    {
        Partition = hypervisor.CreatePartition(options ?? new());
        _memory = Partition.AllocateMemory(0x1_0000);
        _memory.Write(CodeAddress, code);
        Partition.Memory.Map(0, _memory, 0, _memory.Length, GuestAccess.All);
        foreach (IVirtualProcessor processor in Partition.Processors)
            Start(processor);
    }

    public IPartition Partition { get; }

    public IVirtualProcessor Processor => Partition.Processors[0];

    /// <summary>Puts a processor at the start of the code.</summary>
    public static void Start(IVirtualProcessor processor)
    {
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.Segments, in state);
        processor[Register.Rip] = CodeAddress;
    }

    public void Dispose()
    {
        Partition.Dispose();
        _memory.Dispose();
    }
}
