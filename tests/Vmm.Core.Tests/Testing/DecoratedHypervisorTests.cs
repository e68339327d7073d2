using System.Reflection;
using Vmm.Testing;

namespace Vmm.Core.Tests.Testing;

public sealed class DecoratedHypervisorTests
{
    [Fact]
    public void Plain_decorator_changes_nothing_that_a_guest_or_client_sees()
    {
        DecoratedHypervisor hypervisor = new(Hypervisors.Emulator());
        DeepProbe.Run(hypervisor).Should().Be(ProbeResult.Available);
        using IPartition partition = hypervisor.CreatePartition(new());
        IVirtualProcessor processor = partition.Processors[0];
        processor.Partition.Should().BeSameAs(partition);
        partition.Processors[0].Should().BeSameAs(processor);
        partition.Memory.Should().BeSameAs(partition.Memory);
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(processor);
        processor[Register.Rbx] = 5;
        snapshot.Apply(processor);
        ProcessorSnapshot.CompareWithPowerOn(processor).Should().BeEmpty();

        using GuestMemory memory = partition.AllocateMemory(0x2000);
        partition.Memory.Map(0x1000, memory, 0, 0x2000, GuestAccess.ReadWrite);
        partition.Memory.Write(0x1FFF, [1, 2]);
        byte[] back = new byte[2];
        partition.Memory.Read(0x1FFF, back);
        back.Should().Equal(1, 2);
        partition.Memory.CompareExchange(0x2000, 1, 2, 9).Should().Be(2);
        partition.Memory.TryGetSpan(0x2000, 1, false, out Span<byte> span).Should().BeTrue();
        span[0].Should().Be(9);
        partition.Memory.Translate(0x9000, GuestAccess.Read).Status.Should().Be(TranslationStatus.Unmapped);
        partition.Dispose();
        processor.Invoking(p => p.Run()).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Derived_decorator_breaks_one_thing_and_a_probe_sees_it()
    {
        ProbeResult result = DeepProbe.Run(new ForgetfulHypervisor(Hypervisors.Emulator()));
        result.IsAvailable.Should().BeFalse();
        result.Reason.Should().Contain("AX = 0x0");
    }

    [Theory]
    [InlineData(typeof(DecoratedHypervisor), typeof(IHypervisor))]
    [InlineData(typeof(DecoratedPartition), typeof(IPartition))]
    [InlineData(typeof(DecoratedProcessor), typeof(IVirtualProcessor))]
    [InlineData(typeof(DecoratedMemory), typeof(ISecondLevelAddressTranslation))]
    public void Every_member_of_the_contract_can_be_overridden(Type decorator, Type contract)
    {
        InterfaceMapping map = decorator.GetInterfaceMap(contract);
        IEnumerable<string> fixedMembers = map.TargetMethods.Where(method => method.DeclaringType != decorator || method.IsFinal).Select(method => method.Name);
        // Who a processor belongs to is not a behaviour.
        fixedMembers.Except(["get_Partition"]).Should().BeEmpty();
    }

    private sealed class ForgetfulHypervisor(IHypervisor inner) : DecoratedHypervisor(inner)
    {
        protected override IPartition Decorate(IPartition partition) => new ForgetfulPartition(this, partition);
    }

    private sealed class ForgetfulPartition(DecoratedHypervisor hypervisor, IPartition inner) : DecoratedPartition(hypervisor, inner)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new ForgetfulProcessor(this, processor);
    }

    private sealed class ForgetfulProcessor(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
    {
        public override ulong this[Register register]
        {
            get => register == Register.Rax ? 0 : base[register];
            set => base[register] = value;
        }
    }
}
