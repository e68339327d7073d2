namespace Vmm.X86.Execution;

/// <summary>A processor at rest as the assist sees it, through its public members; nothing is answered inside.</summary>
internal sealed class ProcessorAtRest(IVirtualProcessor processor) : IAssistedProcessor
{
    public ISecondLevelAddressTranslation Memory => processor.Partition.Memory;

    public int XsaveSize => processor.XsaveSize;

    public uint ApicId => (uint)processor.Index;

    public void GetState(RegisterGroups groups, out ProcessorState state) => processor.GetState(groups, out state);

    public void SetState(RegisterGroups groups, in ProcessorState state) => processor.SetState(groups, in state);

    public void GetXsave(Span<byte> area) => processor.GetXsave(area);

    public void SetXsave(ReadOnlySpan<byte> area) => processor.SetXsave(area);

    public ulong ReadMsr(uint msr) => processor.ReadMsr(msr);

    public void WriteMsr(uint msr, ulong value) => processor.WriteMsr(msr, value);

    public MsrAction SelectMsrAction(uint msr, bool write) => MsrAction.Allow;

    public bool TryAnswer(ref ExternalRequest request) => false;

    public bool ExitsAtCpuid(uint leaf) => false;
}
