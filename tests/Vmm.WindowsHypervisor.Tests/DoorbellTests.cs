using Vmm.Emulator;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Tests;

/// <summary>
/// Doorbells are given to the platform where it has them, and ring all the same where it has not, or does not recognise the store.
/// </summary>
public sealed class DoorbellTests
{
    private const ushort Address = 0x8000;

    // mov ax, 7; mov [0x8000], ax; hlt - in real mode.
    private static readonly byte[] s_store = [0xB8, 0x07, 0x00, 0xA3, 0x00, 0x80, 0xF4];

    // The same with a store to RAM.
    private static readonly byte[] s_plain = [0xB8, 0x07, 0x00, 0xA3, 0x00, 0x10, 0xF4];

    private static readonly Doorbell s_doorbell = new(Address, 2, 7);

    [Fact]
    public void Store_that_the_platform_recognises_costs_no_call()
    {
        int plain = CallsOfRun(WindowsRelease.Windows11, null, s_plain, out _);
        CallsOfRun(WindowsRelease.Windows11, null, s_store, out bool rang).Should().Be(plain);
        rang.Should().BeTrue();
    }

    [Fact]
    public void Store_rings_where_the_platform_has_no_doorbells()
    {
        int plain = CallsOfRun(WindowsRelease.Windows10Version1803, null, s_plain, out _);
        CallsOfRun(WindowsRelease.Windows10Version1803, null, s_store, out bool rang).Should().BeGreaterThan(plain);
        rang.Should().BeTrue();
    }

    [Fact]
    public void Store_rings_whether_the_platform_recognises_it_or_not()
    {
        for (int seed = 0; seed < 12; seed++)
        {
            CallsOfRun(WindowsRelease.Windows11, seed, s_store, out bool rang);
            rang.Should().BeTrue("seed {0}", seed);
        }
    }

    [Theory]
    [InlineData(Address, 2, 7UL, 1)]
    [InlineData(Address, 0, null, 1)]
    [InlineData(Address, 0, 7UL, 0)]
    [InlineData(Address + 0xFFF, 2, null, 0)]
    public void Doorbell_that_the_platform_would_refuse_is_not_given_to_it(ulong address, int size, ulong? value, int calls)
    {
        WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor());
        using IPartition partition = simulator.CreatePartition(new PartitionOptions());
        using AutoResetEvent signal = new(false);
        int before = simulator.Calls;
        using IDisposable registration = partition.Memory.RegisterDoorbell(new Doorbell(address, size, value), signal);
        (simulator.Calls - before).Should().Be(calls);
    }

    private static int CallsOfRun(WindowsRelease release, int? seed, byte[] code, out bool rang)
    {
        WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor(), new SimulatorOptions { Release = release, DisturbanceSeed = seed });
        using IPartition partition = simulator.CreatePartition(new PartitionOptions());
        using GuestMemory memory = partition.AllocateMemory(0x4000);
        memory.Write(0x500, code);
        partition.Memory.Map(0, memory, 0, 0x4000, GuestAccess.All);
        using AutoResetEvent signal = new(false);
        using IDisposable registration = partition.Memory.RegisterDoorbell(in s_doorbell, signal);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state.General.Rip = 0x500;
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.All, in state);
        int before = simulator.Calls;
        VpExit exit;
        do
            exit = processor.Run();
        while (exit.Kind == ExitKind.Cancelled);
        exit.Kind.Should().Be(ExitKind.Halt);
        rang = signal.WaitOne(0);
        return simulator.Calls - before;
    }
}
