namespace Vmm.Kvm.Tests.Memory;

public sealed class DoorbellTests
{
    private const ulong Address = 0x2_0000;

    // mov al, [bx]; mov [bx], al; mov [bx], ax; mov [bx], eax; out 0x10, al -- DS is where the doorbell is
    private static readonly byte[] s_code = [0x8A, 0x07, 0x88, 0x07, 0x89, 0x07, 0x66, 0x89, 0x07, 0xE6, 0x10];

    [SkippableFact]
    public void Doorbell_of_any_size_is_rung_by_stores_of_every_size_and_by_no_load()
    {
        using RealModeGuest guest = new(KvmHost.Create(), s_code);
        guest.Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Ds = SegmentDescriptor.RealModeData((ushort)(Address >> 4));
        guest.Processor.SetState(RegisterGroups.Segments, in state);
        guest.Processor[Register.Rbx] = 0;
        using AutoResetEvent signal = new(false);
        using (guest.Partition.Memory.RegisterDoorbell(new Doorbell(Address, 0, null), signal))
        {
            VpExit load = guest.Processor.Run();
            load.Kind.Should().Be(ExitKind.Mmio);
            load.Mmio.IsWrite.Should().BeFalse();
            signal.WaitOne(20).Should().BeFalse();
            guest.Processor.CompleteRead(0x5A);
            VpExit end = guest.Processor.Run();
            end.Kind.Should().Be(ExitKind.PortIo, "no store exits");
            end.PortIo.Value.Should().Be(0x5A);
            signal.WaitOne(5000).Should().BeTrue();
        }
        guest.Processor.CompletePending(out _);
        guest.Processor[Register.Rip] = RealModeGuest.CodeAddress + 2;
        guest.Processor.Run().Kind.Should().Be(ExitKind.Mmio, "the doorbell is gone");
    }
}
