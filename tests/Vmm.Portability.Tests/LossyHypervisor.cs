using System.Buffers.Binary;
using Vmm.Testing;

namespace Vmm.Portability.Tests;

/// <summary>What a <see cref="LossyHypervisor"/> loses.</summary>
public enum Loss
{
    /// <summary>The carry flag.</summary>
    CarryFlag,

    /// <summary>The upper half of XMM11.</summary>
    UpperHalfOfXmm11,

    /// <summary>The value in ST0.</summary>
    TopOfTheX87Stack,

    /// <summary>Eight bytes of the guest's table.</summary>
    BytesOfMemory,
}

/// <summary>A backend that loses a part of the state that is given to it: shows that the journey looks.</summary>
internal sealed class LossyHypervisor(IHypervisor inner, Loss loss) : DecoratedHypervisor(inner)
{
    protected override IPartition Decorate(IPartition partition) => new LossyPartition(this, partition, loss);

    private sealed class LossyPartition(LossyHypervisor hypervisor, IPartition inner, Loss loss) : DecoratedPartition(hypervisor, inner)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new LossyProcessor(this, processor, loss);
    }

    private sealed class LossyProcessor(LossyPartition partition, IVirtualProcessor inner, Loss loss) : DecoratedProcessor(partition, inner)
    {
        public override void SetState(RegisterGroups groups, in ProcessorState state)
        {
            ProcessorState changed = state;
            if (loss == Loss.CarryFlag)
                changed.General.Rflags &= ~1UL;
            base.SetState(groups, in changed);
        }

        public override void SetXsave(ReadOnlySpan<byte> area)
        {
            byte[] changed = area.ToArray();
            if (loss == Loss.UpperHalfOfXmm11)
                changed.AsSpan(160 + (16 * 11) + 8, 8).Clear();
            if (loss == Loss.TopOfTheX87Stack)
                changed.AsSpan(32, 10).Clear();
            base.SetXsave(changed);
            if (loss != Loss.BytesOfMemory)
                return;
            Span<byte> bytes = stackalloc byte[8];
            Partition.Memory.Read(ChainGuest.Table + 0x1000, bytes);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, ~BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            Partition.Memory.Write(ChainGuest.Table + 0x1000, bytes);
        }
    }
}
