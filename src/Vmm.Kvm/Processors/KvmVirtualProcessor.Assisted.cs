using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    /// <summary>Power-on state.</summary>
    public void Reset()
    {
        _halted = _nmiHanded = _completing = _isShutDown = _hasStepped = false;
        _debugTrap = 0;
        _assist.Abandon();
        _cached = 0;
        _run->DirtyRegisters = 0;
        _run->ValidRegisters = Interop.KvmRun.SyncGeneral;
        _run->RequestInterruptWindow = 0;
        ProcessorState state = PowerOnState.Create(_partition.Profile, Index, _partition.Options.LocalApic);
        SetStateCore(RegisterGroups.All, in state);
        byte[] area = new byte[XsaveSize];
        PowerOnState.FillXsave(area);
        SetXsaveCore(area);
        foreach (uint msr in KvmMsrs.Cleared)
        {
            if (TryReadMsrCore(msr, out _))
                TryWriteMsrCore(msr, 0);
        }
        TryWriteMsrCore(MsrNumber.Pat, KvmMsrs.PatAtPowerOn);
        TrySetMsr(MsrNumber.MiscEnable, KvmMsrs.MiscEnableAtPowerOn);
        if (_powerOnApic is not null)
            ResetApic(_powerOnApic);
    }

    protected override LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user)
    {
        _assist.Assist.Begin();
        return _assist.Assist.Translate(linear, access, user);
    }

    /// <summary>The processor as the assist sees it, from inside the run loop.</summary>
    private sealed class Assisted(KvmVirtualProcessor owner) : IAssistedProcessor
    {
        public ISecondLevelAddressTranslation Memory => owner._partition.Memory;

        public int XsaveSize => owner.XsaveSize;

        public uint ApicId => (uint)owner.Index;

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

        public void ReadMsrs(ReadOnlySpan<uint> msrs, Span<ulong> values) => owner.ReadMsrs(msrs, values);

        public void WriteMsr(uint msr, ulong value) => owner.TryWriteMsrCore(msr, value);

        public X86.Execution.MsrAction SelectMsrAction(uint msr, bool write) =>
            MsrPolicyAnswers.Select(owner._partition.Options.MsrPolicy, msr, write);

        public bool TryAnswer(ref ExternalRequest request)
        {
            switch (request.Kind)
            {
                case ExternalRequestKind.MmioWrite:
                    return owner._partition.Slots.Ring(request.Address, request.Size, request.Value);
                case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite:
                    return MsrPolicyAnswers.TryAnswer(owner._partition.Options.MsrPolicy, ref request);
                default:
                    return false;
            }
        }

        public bool ExitsAtCpuid(uint leaf) => false;
    }
}
