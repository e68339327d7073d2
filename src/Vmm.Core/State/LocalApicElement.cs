using System.Buffers.Binary;

namespace Vmm;

/// <summary>The registers of the local APIC except the timer's counts, which run on by themselves.</summary>
internal sealed class LocalApicElement() : StateElement("local-apic", 1, "Registers of the local APIC.")
{
    private const int PageSize = 1024;
    private const int IdOffset = 0x20;
    private const ulong X2ApicMode = 0x400;

    // SDM Vol. 3A table 11-1; what follows from other registers (version, priorities) is left out.
    private static readonly (string Name, int Offset, uint? PowerOn)[] Registers =
    [
        ("TaskPriority", 0x80, 0), ("LogicalDestination", 0xD0, null), ("DestinationFormat", 0xE0, uint.MaxValue), ("SpuriousVector", 0xF0, null),
        .. Enumerable.Range(0, 8).Select(i => ($"InService{i}", 0x100 + (16 * i), (uint?)0)),
        .. Enumerable.Range(0, 8).Select(i => ($"TriggerMode{i}", 0x180 + (16 * i), (uint?)0)),
        .. Enumerable.Range(0, 8).Select(i => ($"Request{i}", 0x200 + (16 * i), (uint?)0)),
        ("ErrorStatus", 0x280, 0), ("PendingErrors", 0x284, 0), ("LvtMachineCheck", 0x2F0, null), ("CommandLow", 0x300, 0), ("CommandHigh", 0x310, 0),
        ("LvtTimer", 0x320, 0x1_0000), ("LvtThermal", 0x330, null), ("LvtPerformance", 0x340, null), ("LvtLint0", 0x350, null), ("LvtLint1", 0x360, null),
        ("LvtError", 0x370, 0x1_0000), ("DivideConfiguration", 0x3E0, 0),
    ];

    /// <summary>A local APIC whose state can be read: by the partition's options and the backend's capabilities.</summary>
    internal static bool HasApic(IVirtualProcessor processor) =>
        processor.Partition.Options.LocalApic != LocalApicMode.None && processor.Partition.Capabilities.Has(Capability.EventState);

    public override bool IsPresent(IVirtualProcessor processor) => base.IsPresent(processor) && HasApic(processor);

    internal override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        byte[] page = new byte[PageSize];
        processor.GetLocalApic(page);
        FieldExchange fields = FieldExchange.Saving(Id);
        uint id = Read(page, IdOffset);
        fields.Field("Id", ref id);
        foreach ((string name, int offset, _) in Registers)
        {
            uint value = Read(page, offset);
            fields.Field(name, ref value);
        }
        return new(Id, Version, fields.Saved);
    }

    internal override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Saving(Id);
        foreach ((string name, _, uint? powerOn) in Registers)
        {
            if (powerOn is { } value)
                fields.Field(name, ref value);
        }
        return new(Id, Version, fields.Saved);
    }

    internal override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        byte[] page = new byte[PageSize];
        processor.GetLocalApic(page);
        // The register's form follows the mode that each is in.
        uint here = Read(page, IdOffset) >> ((processor[Register.ApicBase] & X2ApicMode) != 0 ? 0 : 24);
        FieldExchange fields = FieldExchange.Loading(values);
        uint id = 0;
        fields.Field("Id", ref id);
        int shift = (state.Control.ApicBase & X2ApicMode) != 0 ? 0 : 24;
        id >>= shift;
        if (id != here)
            throw new ArgumentException($"The state element 'local-apic' is of the APIC with id {id}; this processor's has id {here}.");
        page.AsSpan().Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(IdOffset), id << shift);
        foreach ((string name, int offset, _) in Registers)
        {
            uint value = 0;
            fields.Field(name, ref value);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
        }
        fields.CheckAllTaken();
        return target => target.SetLocalApic(page);
    }

    private static uint Read(byte[] page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(offset));
}
