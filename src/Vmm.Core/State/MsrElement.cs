namespace Vmm;

/// <summary>An MSR of a <see cref="MsrElement"/>.</summary>
/// <param name="Name">Name of its value.</param>
/// <param name="Number">MSR number.</param>
/// <param name="PowerOn">Value after power-on; null where the architecture leaves it to the model.</param>
internal readonly record struct MsrDefinition(string Name, uint Number, ulong? PowerOn);

/// <summary>A state element that is a list of MSRs; those that a backend does not have are left out.</summary>
internal sealed class MsrElement(string id, string description, bool isComparable, Func<CpuProfile?, bool>? isPresent, IReadOnlyList<MsrDefinition> msrs)
    : StateElement(id, 1, description)
{
    public override bool IsComparable => isComparable;

    public override bool IsPresent(IVirtualProcessor processor) =>
        base.IsPresent(processor) && (isPresent is null || isPresent(processor.Partition.CpuProfile));

    internal override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Saving(Id);
        foreach (MsrDefinition msr in msrs)
        {
            if (TryRead(processor, msr.Number, out ulong value))
                fields.Field(msr.Name, ref value);
        }
        return new(Id, Version, fields.Saved);
    }

    internal override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Saving(Id);
        foreach (MsrDefinition msr in msrs)
        {
            if (msr.PowerOn is { } value && TryRead(processor, msr.Number, out _))
                fields.Field(msr.Name, ref value);
        }
        return new(Id, Version, fields.Saved);
    }

    internal override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Loading(values);
        List<(uint Number, ulong Value)> writes = [];
        foreach (MsrDefinition msr in msrs)
        {
            if (!fields.Has(msr.Name))
                continue;
            ulong value = 0;
            fields.Field(msr.Name, ref value);
            if (TryRead(processor, msr.Number, out _))
            {
                writes.Add((msr.Number, value));
            }
            else if (value != (msr.PowerOn ?? 0))
            {
                string backend = processor.Partition.Capabilities.Backend;
                throw new ArgumentException($"The {backend} backend has no MSR {msr.Name} (0x{msr.Number:X}), which the state holds with 0x{value:X}.");
            }
        }
        fields.CheckAllTaken();
        return target =>
        {
            foreach ((uint number, ulong value) in writes)
                target.WriteMsr(number, value);
        };
    }

    /// <summary>Reads an MSR; false where the backend has none of that number.</summary>
    internal static bool TryRead(IVirtualProcessor processor, uint msr, out ulong value)
    {
        try
        {
            value = processor.ReadMsr(msr);
            return true;
        }
        catch (ArgumentOutOfRangeException)
        {
            value = 0;
            return false;
        }
    }
}
