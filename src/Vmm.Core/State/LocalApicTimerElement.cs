using System.Buffers.Binary;

namespace Vmm;

/// <summary>What is left of the local APIC timer's time; restored after its registers and the time-stamp counter.</summary>
internal sealed class LocalApicTimerElement() : StateElement("local-apic-timer", 1, "Counts and deadline of the local APIC timer.")
{
    private const int PageSize = 1024;
    private const int InitialCount = 0x380;
    private const int CurrentCount = 0x390;
    private const uint DeadlineMsr = 0x6E0;

    public override bool IsComparable => false;

    public override bool IsPresent(IVirtualProcessor processor) => base.IsPresent(processor) && LocalApicElement.HasApic(processor);

    internal override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] page = new byte[PageSize];
        processor.GetLocalApic(page);
        uint initial = BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(InitialCount));
        uint current = BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(CurrentCount));
        MsrElement.TryRead(processor, DeadlineMsr, out ulong deadline);
        return Save(initial, current, deadline);
    }

    internal override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state) => Save(0, 0, 0);

    internal override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Loading(values);
        uint initial = 0, current = 0;
        ulong deadline = 0;
        fields.Field("InitialCount", ref initial);
        fields.Field("CurrentCount", ref current);
        fields.Field("TscDeadline", ref deadline);
        fields.CheckAllTaken();
        if (current > initial)
            throw new ArgumentException($"The state element '{Id}' has 0x{current:X} for CurrentCount, above the 0x{initial:X} of InitialCount.");
        if (deadline != 0 && !MsrElement.TryRead(processor, DeadlineMsr, out _))
            throw new ArgumentException($"The {processor.Partition.Capabilities.Backend} backend has no TSC deadline here, which the state holds with 0x{deadline:X}.");
        return target =>
        {
            byte[] page = new byte[PageSize];
            target.GetLocalApic(page);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(InitialCount), initial);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(CurrentCount), current);
            target.SetLocalApic(page);
            if (deadline != 0)
                target.WriteMsr(DeadlineMsr, deadline);
        };
    }

    private ElementState Save(uint initial, uint current, ulong deadline)
    {
        FieldExchange fields = FieldExchange.Saving(Id);
        fields.Field("InitialCount", ref initial);
        fields.Field("CurrentCount", ref current);
        fields.Field("TscDeadline", ref deadline);
        return new(Id, Version, fields.Saved);
    }
}
