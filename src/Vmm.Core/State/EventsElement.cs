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
        fields.Field("PendingDebugTrap", ref events.PendingDebugTrap);
        fields.Field("HasPending", ref events.HasPending);
        events.Activity = (ProcessorActivity)activity;
        events.Shadow = (InterruptibilityShadow)shadow;

        InjectedEvent pending = events.Pending;
        byte kind = (byte)pending.Kind;
        byte vector = pending.Vector;
        bool hasErrorCode = pending.HasErrorCode;
        uint errorCode = pending.ErrorCode;
        ulong payload = pending.Payload;
        fields.Field("Pending.Kind", ref kind);
        fields.Field("Pending.Vector", ref vector);
        fields.Field("Pending.HasErrorCode", ref hasErrorCode);
        fields.Field("Pending.ErrorCode", ref errorCode);
        fields.Field("Pending.Payload", ref payload);
        events.Pending = new()
        {
            Kind = (InjectedEventKind)kind, Vector = vector, HasErrorCode = hasErrorCode, ErrorCode = errorCode, Payload = payload,
        };
    }
}
