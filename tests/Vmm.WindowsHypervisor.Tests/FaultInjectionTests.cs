using Vmm.Emulator;
using Vmm.WindowsHypervisor.Simulator;
using Xunit.Abstractions;

namespace Vmm.WindowsHypervisor.Tests;

/// <summary>Each call of a whole life of a partition fails in turn: a typed error or none, everything released, no hang.</summary>
public sealed class FaultInjectionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(WindowsRelease.Windows11, LocalApicMode.None)]
    [InlineData(WindowsRelease.Windows11, LocalApicMode.X2Apic)]
    [InlineData(WindowsRelease.Windows10Version22H2, LocalApicMode.XApic)]
    [InlineData(WindowsRelease.Windows10Version1803, LocalApicMode.None)]
    public void Failing_call_is_a_typed_error_and_leaves_nothing_behind(WindowsRelease release, LocalApicMode apic)
    {
        WindowsHypervisorSimulator whole = Simulator(release, 0);
        int before = whole.Calls;
        Live(whole, apic);
        int calls = whole.Calls;
        int errors = 0, unharmed = 0, failedExits = 0, allocations = 0;
        whole.LivePartitions.Should().Be(0);
        for (int call = before + 1; call <= calls; call++)
        {
            WindowsHypervisorSimulator simulator = Simulator(release, call);
            Exception? thrown = null;
            bool failed = false;
            Thread life = new(() =>
            {
                try
                {
                    failed = Live(simulator, apic);
                }
                catch (Exception e)
                {
                    thrown = e;
                }
            }) { IsBackground = true };
            life.Start();
            life.Join(s_patience).Should().BeTrue("call {0} must not hang", call);

            if (thrown is not null)
            {
                thrown.Should().BeOfType<HypervisorException>("call {0} failed", call).Which.Message.Should().MatchRegex("WHv.*E_OUTOFMEMORY|VirtualAlloc.*The host refused");
                allocations += thrown.Message.Contains("VirtualAlloc", StringComparison.Ordinal) ? 1 : 0;
                errors++;
            }
            else if (failed)
            {
                failedExits++;
            }
            else
            {
                unharmed++;
            }
            simulator.LivePartitions.Should().Be(0, "call {0} failed", call);
            simulator.Faults.Should().BeEmpty();
        }

        output.WriteLine($"{release}, APIC {apic}: {calls - before} calls; {errors} typed errors, {failedExits} failed exits, {unharmed} without harm");
        errors.Should().BeGreaterThan(20);
        allocations.Should().Be(1, "the host may have no memory for the guest");
        failedExits.Should().BePositive("a run that the platform refuses is an exit");
    }

    // Features that cannot be switched, or not together, are a matter of the host: its guests are made all the same.
    [Theory]
    [InlineData(0x8037_0310, "WHV_E_UNSUPPORTED_PROCESSOR_CONFIG")]
    [InlineData(0x8007_0057, "E_INVALIDARG")]
    [InlineData(0xC035_0006, "ERROR_HV_ACCESS_DENIED")]
    public void Set_up_that_the_platform_refuses_is_tried_once_more_with_its_own_features(uint result, string name)
    {
        SimulatorOptions options = new() { FailureResult = unchecked((int)result) };
        int before = new WindowsHypervisorSimulator(new EmulatorHypervisor(), options).Calls, borne = 0;
        bool done = false;
        for (int call = before + 1; !done; call++)
        {
            WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor(), options with { FailingCall = call });
            try
            {
                using IPartition partition = simulator.CreatePartition(new PartitionOptions { LocalApic = LocalApicMode.XApic });
                borne++;
                done = simulator.Calls < call;
            }
            catch (HypervisorException e)
            {
                e.Message.Should().Contain(name);
            }
            simulator.LivePartitions.Should().Be(0);
            simulator.Faults.Should().BeEmpty();
        }
        borne.Should().BeGreaterThanOrEqualTo(
            6, "banks, XSAVE features, the local APIC's mode, the long list of leaves and the set-up are borne, and the last is none");
    }

    private static WindowsHypervisorSimulator Simulator(WindowsRelease release, int failingCall) =>
        new(new EmulatorHypervisor(), new SimulatorOptions { Release = release, FailingCall = failingCall });

    // mov al, [0x100000]; out 0x10, al; in al, 0x10; mov [0x1000], al; hlt - in real mode, at the bottom of memory.
    private static bool Live(WindowsHypervisorSimulator simulator, LocalApicMode apic)
    {
        byte[] code = [0xA0, 0x00, 0x80, 0xE6, 0x10, 0xE4, 0x10, 0xA2, 0x00, 0x10, 0xF4];
        using IDisposable entered = simulator.Enter();
        using IPartition partition = simulator.CreatePartition(new PartitionOptions { LocalApic = apic });
        using GuestMemory memory = partition.AllocateMemory(0x4000);
        memory.Write(0x500, code);
        partition.Memory.Map(0, memory, 0, 0x4000, GuestAccess.All);
        partition.Memory.Protect(0x2000, 0x1000, GuestAccess.Read);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state.General.Rip = 0x500;
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.All, in state);
        byte[] area = new byte[processor.XsaveSize];
        processor.GetXsave(area);
        processor.SetXsave(area);
        if (partition.Capabilities.Has(Capability.DirtyTracking))
        {
            partition.Memory.TrackDirty(0x1000, 0x1000, true);
            partition.Memory.PeekDirty(0x1000, 0x1000, new ulong[1]);
        }
        using AutoResetEvent signal = new(false);
        using IDisposable doorbell = partition.Memory.RegisterDoorbell(new Doorbell(0x9000, 2, 1), signal);
        if (apic != LocalApicMode.None)
            partition.RequestInterrupt(new InterruptRequest { Vector = 0x40 });
        for (int exits = 0; exits < 3; exits++)
        {
            VpExit exit = processor.Run();
            if (exit.Kind == ExitKind.Failed)
                return true;
            if ((exit.Kind == ExitKind.PortIo && !exit.PortIo.IsWrite) || (exit.Kind == ExitKind.Mmio && !exit.Mmio.IsWrite))
                processor.CompleteRead(0x5A);
        }
        processor.CompletePending(out _);
        processor.Cancel();
        partition.Reset(keepMemory: true);
        partition.Memory.Unmap(0x1000, 0x1000);
        return false;
    }
}
