namespace Vmm.Kvm.Tests.Memory;

public sealed class MemorySlotTests
{
    private const ulong Page = 4096;

    // mov al, [0x2000]; out 0x10, al; hlt
    private static readonly byte[] s_load = [0xA0, 0x00, 0x20, 0xE6, 0x10, 0xF4];

    [SkippableFact]
    public void Numbers_of_removed_slots_are_used_again()
    {
        using RealModeGuest guest = new(KvmHost.Create(), s_load);
        using GuestMemory memory = guest.Partition.AllocateMemory(Page);
        // More than the kernel has numbers for.
        for (int i = 0; i < 70_000; i += 1000)
        {
            for (ulong at = 0; at < 100; at++)
                guest.Partition.Memory.Map(0x100_0000 + (at * 2 * Page), memory, 0, Page, GuestAccess.All);
            guest.Partition.Memory.Unmap(0x100_0000, 200 * Page);
        }
        guest.Processor.Run().PortIo.Value.Should().Be(0);
    }

    [SkippableFact]
    public void Splits_and_changes_keep_what_the_guest_sees()
    {
        using RealModeGuest guest = new(KvmHost.Create(), s_load);
        using GuestMemory other = guest.Partition.AllocateMemory(4 * Page);
        guest.Partition.Memory.Write(0x2000, [0x11]);
        other.Write(Page, [0x22]);
        Run(guest).Should().Be(0x11);
        guest.Partition.Memory.Protect(0x2000, Page, GuestAccess.Read);
        Run(guest).Should().Be(0x11);
        guest.Partition.Memory.Map(0x2000, other, Page, Page, GuestAccess.Read, replace: true);
        Run(guest).Should().Be(0x22);
        guest.Partition.Memory.TrackDirty(0x2000, Page, true);
        Run(guest).Should().Be(0x22);
        guest.Partition.Memory.Unmap(0x2000, Page);
        guest.Processor.CompletePending(out _);
        RealModeGuest.Start(guest.Processor);
        guest.Processor.Run().Mmio.Address.Should().Be(0x2000);
    }

    [SkippableFact]
    public void Refused_slots_name_call_error_and_range()
    {
        using RealModeGuest guest = new(KvmHost.Create(), s_load);
        GuestMemory memory = guest.Partition.AllocateMemory(Page);
        // The kernel's own pages: what it keeps for processors without real mode, or nothing at all.
        try
        {
            guest.Partition.Memory.Map(0xFEFF_D000, memory, 0, Page, GuestAccess.All);
        }
        catch (HypervisorException refused)
        {
            refused.Message.Should().Contain("KVM_SET_USER_MEMORY_REGION (EEXIST)").And.Contain("0xFEFFD000");
        }
        Run(guest).Should().Be(0);
    }

    private static ulong Run(RealModeGuest guest)
    {
        if (guest.Processor.IsPending)
            guest.Processor.CompletePending(out _);
        RealModeGuest.Start(guest.Processor);
        VpExit exit = guest.Processor.Run();
        exit.Kind.Should().Be(ExitKind.PortIo, "{0}", exit.ToString());
        return exit.PortIo.Value;
    }
}
