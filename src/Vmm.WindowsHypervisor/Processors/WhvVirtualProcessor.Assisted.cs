using System.Buffers.Binary;
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
        if (_partition.HasLocalApic)
            ResetLocalApic(state.Control.ApicBase);
        _miscEnable = 1;
        foreach (uint msr in WhvRegisterNames.Msrs)
        {
            ulong value = msr == MsrNumber.Pat ? 0x0007_0406_0007_0406UL : 0;
            if (msr is not (MsrNumber.Efer or MsrNumber.MtrrCapability))
                TryWriteMsrCore(msr, value);
        }
    }

    // SDM Vol. 3A 11.4.7.1. As on other hypervisors the bootstrap processor's is enabled, LINT0 passes the external interrupt controller
    // and LINT1 is the NMI: guests that are started without firmware rely on it.
    private void ResetLocalApic(ulong apicBase)
    {
        const int Id = 0x20, Version = 0x30, LogicalDestination = 0xD0, DestinationFormat = 0xE0, SpuriousVector = 0xF0;
        const int FirstLocalVector = 0x320, Lint0 = 0x350, Lint1 = 0x360, LastLocalVector = 0x370;
        const uint Masked = 1 << 16, ExternalInterrupt = 7 << 8, NonMaskable = 4 << 8;
        byte[] now = new byte[ApicBytes], page = new byte[ApicBytes];
        GetLocalApicCore(now);
        now.AsSpan(Id, 4).CopyTo(page.AsSpan(Id));
        now.AsSpan(Version, 4).CopyTo(page.AsSpan(Version));
        if ((apicBase & X2ApicMode) != 0)
            now.AsSpan(LogicalDestination, 4).CopyTo(page.AsSpan(LogicalDestination)); // follows from the number
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(DestinationFormat), uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(SpuriousVector), Index == 0 ? 0x10FU : 0xFF);
        for (int offset = FirstLocalVector; offset <= LastLocalVector; offset += 16)
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), Masked);
        if (Index == 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(Lint0), ExternalInterrupt);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(Lint1), NonMaskable);
        }
        SetLocalApicCore(page);
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
                // While stepping, what is the local APIC's comes out, for the platform to do.
                case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite when owner._steps && owner._partition.HasLocalApic
                    && owner.IsLocalApicMsr((uint)request.Address, request.Kind == ExternalRequestKind.MsrWrite):
                    return false;
                case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite:
                    return MsrPolicyAnswers.TryAnswer(owner._partition.Options.MsrPolicy, ref request);
                default:
                    return false;
            }
        }

        public bool ExitsAtCpuid(uint leaf) => Array.IndexOf(_cpuidExits, leaf) >= 0;
    }
}
