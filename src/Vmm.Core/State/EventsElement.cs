namespace Vmm;

internal sealed class EventsElement() : RegisterGroupElement("events", "Activity, shadows and events that wait.", RegisterGroups.Events)
{
    public override bool IsPresent(IVirtualProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return processor.Partition.Capabilities.Has(Capability.EventState);
    }

    private protected override void Exchange(FieldExchange fields, ref ProcessorState state)
    {
        ref EventState events = ref state.Events;
        byte activity = (byte)events.Activity;
        byte shadow = (byte)events.Shadow;
        fields.Field("Activity", ref activity);
        fields.Field("Shadow", ref shadow);
        fields.Field("NmiBlocked", ref events.NmiBlocked);
        fields.Field("NmiPending", ref events.NmiPending);
        fields.Field("InitPending", ref events.InitPending);
        fields.Field("StartupPending", ref events.StartupPending);
        fields.Field("StartupVector", ref events.StartupVector);
        fields.Field("PendingDebugTrap", ref events.PendingDebugTrap);
        fields.Field("HasPending", ref events.HasPending);
        events.Activity = (ProcessorActivity)activity;
        events.Shadow = (InterruptibilityShadow)shadow;

        Exchange(fields, "Pending", ref events.Pending);
        fields.Field("HasDelivering", ref events.HasDelivering);
        Exchange(fields, "Delivering", ref events.Delivering);
    }

    private static void Exchange(FieldExchange fields, string name, ref InjectedEvent value)
    {
        byte kind = (byte)value.Kind;
        byte vector = value.Vector;
        bool hasErrorCode = value.HasErrorCode;
        uint errorCode = value.ErrorCode;
        ulong payload = value.Payload;
        fields.Field($"{name}.Kind", ref kind);
        fields.Field($"{name}.Vector", ref vector);
        fields.Field($"{name}.HasErrorCode", ref hasErrorCode);
        fields.Field($"{name}.ErrorCode", ref errorCode);
        fields.Field($"{name}.Payload", ref payload);
        value = new()
        {
            Kind = (InjectedEventKind)kind, Vector = vector, HasErrorCode = hasErrorCode, ErrorCode = errorCode, Payload = payload,
        };
    }
}
