namespace Vmm;

/// <summary>A state element that is one register group.</summary>
internal abstract class RegisterGroupElement(string id, string description, RegisterGroups group) : StateElement(id, 1, description)
{
    internal sealed override RegisterGroups Group => group;

    internal sealed override ElementState Capture(IVirtualProcessor processor, in ProcessorState state)
    {
        ProcessorState copy = state;
        FieldExchange fields = FieldExchange.Saving(Id);
        Exchange(fields, ref copy);
        return new(Id, Version, fields.Saved);
    }

    internal sealed override ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state) => Capture(processor, in state);

    internal sealed override Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state)
    {
        FieldExchange fields = FieldExchange.Loading(values);
        Exchange(fields, ref state);
        fields.CheckAllTaken();
        return null;
    }

    private protected abstract void Exchange(FieldExchange fields, ref ProcessorState state);
}
