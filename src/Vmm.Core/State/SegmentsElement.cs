namespace Vmm;

internal sealed class SegmentsElement() : RegisterGroupElement("segments", "Segment and descriptor-table registers with their hidden parts.", RegisterGroups.Segments)
{
    private protected override void Exchange(FieldExchange fields, ref ProcessorState state)
    {
        ref SegmentRegisters segments = ref state.Segments;
        fields.Field("Es", ref segments.Es);
        fields.Field("Cs", ref segments.Cs);
        fields.Field("Ss", ref segments.Ss);
        fields.Field("Ds", ref segments.Ds);
        fields.Field("Fs", ref segments.Fs);
        fields.Field("Gs", ref segments.Gs);
        fields.Field("Ldtr", ref segments.Ldtr);
        fields.Field("Tr", ref segments.Tr);
        fields.Field("Gdtr", ref segments.Gdtr);
        fields.Field("Idtr", ref segments.Idtr);
    }
}
