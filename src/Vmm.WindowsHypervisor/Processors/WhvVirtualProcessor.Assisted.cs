using Vmm.X86.Execution;
using Vmm.X86.Paging;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    protected override LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user)
    {
        _assist.Assist.Begin();
        return _assist.Assist.Translate(linear, access, user);
    }

    private void ResetState()
    {
        ProcessorState state = PowerOnState.Create(_partition.Profile, Index, _partition.Options.LocalApic);
        SetStateCore(RegisterGroups.All, in state);
        byte[] area = new byte[XsaveSize];
        PowerOnState.FillXsave(area);
        SetXsaveCore(area);
        _miscEnable = 1;
        foreach (uint msr in WhvRegisterNames.Msrs)
        {
            ulong value = msr == MsrNumber.Pat ? 0x0007_0406_0007_0406UL : 0;
            if (msr is not (MsrNumber.Efer or MsrNumber.MtrrCapability))
                TryWriteMsrCore(msr, value);
        }
    }

    /// <summary>The processor as the assist sees it, from inside the run loop.</summary>
    private sealed class Assisted(WhvVirtualProcessor owner) : IAssistedProcessor
    {
        private readonly uint[] _cpuidExits = [.. owner._partition.Options.CpuidExits];

        public ISecondLevelAddressTranslation Memory => owner._partition.Memory;

        public int XsaveSize => owner.XsaveSize;

        public uint ApicId => owner.Number;

        public void GetState(RegisterGroups groups, out ProcessorState state)
        {
            state = default;
            owner.GetStateCore(groups, ref state);
        }

        public void SetState(RegisterGroups groups, in ProcessorState state) => owner.SetStateCore(groups, in state);

        public void GetXsave(Span<byte> area) => owner.GetXsaveCore(area[..owner.XsaveSize]);

        public void SetXsave(ReadOnlySpan<byte> area) => owner.SetXsaveCore(area[..owner.XsaveSize]);

        public ulong ReadMsr(uint msr)
        {
            owner.TryReadMsrCore(msr, out ulong value);
            return value;
        }

        public void WriteMsr(uint msr, ulong value) => owner.TryWriteMsrCore(msr, value);

        public X86.Execution.MsrAction SelectMsrAction(uint msr, bool write) =>
            MsrPolicyAnswers.Select(owner._partition.Options.MsrPolicy, msr, write);

        public bool TryAnswer(ref ExternalRequest request)
        {
            switch (request.Kind)
            {
                case ExternalRequestKind.MmioWrite:
                    return owner._partition.NestedMemory.Ring(request.Address, request.Size, request.Value);
                case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite:
                    return MsrPolicyAnswers.TryAnswer(owner._partition.Options.MsrPolicy, ref request);
                default:
                    return false;
            }
        }

        public bool ExitsAtCpuid(uint leaf) => Array.IndexOf(_cpuidExits, leaf) >= 0;
    }
}
