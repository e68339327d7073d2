using Vmm.Emulator;
using Vmm.Testing;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Tests;

/// <summary>Which backends the simulated platform can stand on.</summary>
public sealed class BackendBehindTests
{
    [Fact]
    public void Backend_that_leaves_unfinished_instructions_alone_is_taken_decorated_too() =>
        new WindowsHypervisorSimulator(new DecoratedHypervisor(new EmulatorHypervisor())).LivePartitions.Should().Be(0);

    [Theory]
    [InlineData(Register.Rip, "EE exits")]
    [InlineData(Register.Rsi, "6E exits")]
    public void Backend_that_has_changed_registers_already_is_refused(Register register, string where)
    {
        Action making = () => _ = new WindowsHypervisorSimulator(new EagerHypervisor(register));
        making.Should().Throw<NotSupportedException>().WithMessage($"*cannot stand on the emulator backend*{where}*Put it on the emulator*");
    }

    // As a processor that has stepped over an OUT, or past a string's element, before the device has it.
    private sealed class EagerHypervisor(Register register) : DecoratedHypervisor(new EmulatorHypervisor())
    {
        protected override IPartition Decorate(IPartition partition) => new EagerPartition(this, partition, register);
    }

    private sealed class EagerPartition(DecoratedHypervisor hypervisor, IPartition inner, Register register) : DecoratedPartition(hypervisor, inner)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new EagerProcessor(this, processor, register);
    }

    private sealed class EagerProcessor(DecoratedPartition partition, IVirtualProcessor inner, Register register) : DecoratedProcessor(partition, inner)
    {
        private bool _isString;

        public override VpExit Run()
        {
            VpExit exit = base.Run();
            _isString = exit.Kind == ExitKind.PortIo && exit.PortIo.IsString;
            return exit;
        }

        public override void GetState(RegisterGroups groups, out ProcessorState state)
        {
            base.GetState(groups, out state);
            if (!IsPending)
                return;
            if (register == Register.Rip)
                state.General.Rip++;
            else if (_isString)
                state.General.Rsi++;
        }
    }
}
