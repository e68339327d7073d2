namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>IA32_APIC_BASE.EN.</summary>
    protected const ulong ApicBaseEnable = 0x800;

    /// <summary>IA32_APIC_BASE.EXTD: x2APIC mode.</summary>
    protected const ulong ApicBaseX2 = 0x400;

    /// <summary>IA32_APIC_BASE.BSP.</summary>
    protected const ulong ApicBaseBootProcessor = 0x100;

    private const ulong VariableMtrrCount = 8, FixedMtrrs = 0x100, WriteCombiningMtrr = 0x400;

    /// <summary>The partition's policy for one register.</summary>
    protected virtual MsrAction SelectMsrAction(uint msr, bool write) => MsrAction.Allow;

    /// <summary>
    /// IA32_APIC_BASE is written with a value whose reserved bits and mode transition are already checked. An implementation with a local
    /// APIC follows it; false makes the write #GP(0).
    /// </summary>
    protected virtual bool OnApicBaseWrite(ulong value)
    {
        State->ApicBase = value;
        return true;
    }

    /// <summary>
    /// RDMSR without its privilege check (SDM Vol. 4). <see cref="Outcome.Next"/>, #GP(0) for a register that does not exist, or an exit.
    /// </summary>
    public Outcome ReadMsr(uint msr, out ulong value)
    {
        MsrAction action = SelectMsrAction(msr, false);
        value = 0;
        if (action == MsrAction.Fault)
            return RaiseGeneralProtection();
        if (action == MsrAction.Allow && TryReadMsr(msr, out value))
            return Outcome.Next;
        ExternalRequest request = new() { Kind = ExternalRequestKind.MsrRead, Address = msr, Size = 8 };
        if (!Ask(ref request))
            return Stopped;
        value = request.Value;
        return request.Refused ? RaiseGeneralProtection() : Outcome.Next;
    }

    /// <summary>WRMSR without its privilege check. Ends as the control-register writes do.</summary>
    public Outcome WriteMsr(uint msr, ulong value)
    {
        MsrAction action = SelectMsrAction(msr, true);
        if (action == MsrAction.Fault)
            return RaiseGeneralProtection();
        if (action == MsrAction.Allow)
        {
            Outcome outcome = WriteKnownMsr(msr, value, out bool known);
            if (known)
                return outcome;
        }
        ExternalRequest request = new() { Kind = ExternalRequestKind.MsrWrite, Address = msr, Value = value, Size = 8 };
        if (!Ask(ref request))
            return Stopped;
        return request.Refused ? RaiseGeneralProtection() : Outcome.NextBlock;
    }

    /// <summary>Reads a register that the core keeps, past any policy. False: it keeps none of that number.</summary>
    protected bool TryReadMsr(uint msr, out ulong value)
    {
        VcpuState* s = State;
        value = 0;
        switch (msr)
        {
            case MsrNumber.TimeStampCounter: value = ReadTimeStampCounter(); return true;
            case MsrNumber.ApicBase when Has(CpuFeature.Apic): value = s->ApicBase; return true;
            case MsrNumber.TscAdjust when Has(CpuFeature.TscAdjust): value = s->TscAdjust; return true;
            case MsrNumber.BiosSignature: value = s->MicrocodeRevision; return true;
            case MsrNumber.PlatformId or MsrNumber.PlatformInformation or MsrNumber.DebugControl: return true; // zero
            case MsrNumber.SysenterCs: value = s->SysenterCs; return true;
            case MsrNumber.SysenterEsp: value = s->SysenterEsp; return true;
            case MsrNumber.SysenterEip: value = s->SysenterEip; return true;
            // no banks
            case MsrNumber.MachineCheckCapability or MsrNumber.MachineCheckStatus: return Has(CpuFeature.MachineCheckArchitecture);
            case MsrNumber.MiscEnable: value = s->MiscEnable; return true;
            case MsrNumber.Pat when Has(CpuFeature.PageAttributeTable): value = s->Pat; return true;
            case MsrNumber.Xss when Has(CpuFeature.XsaveSupervisor): value = s->Xss; return true;
            case MsrNumber.Efer when Model.EferAllowed != 0: value = s->Efer; return true;
            case MsrNumber.Star: value = s->Star; return true;
            case MsrNumber.Lstar: value = s->Lstar; return true;
            case MsrNumber.Cstar: value = s->Cstar; return true;
            case MsrNumber.SyscallMask: value = s->SyscallMask; return true;
            case MsrNumber.FsBase: value = s->Segments[SegmentIndex.Fs].Base; return true;
            case MsrNumber.GsBase: value = s->Segments[SegmentIndex.Gs].Base; return true;
            case MsrNumber.KernelGsBase: value = s->KernelGsBase; return true;
            case MsrNumber.TscAux when Has(CpuFeature.Rdtscp) || Has(CpuFeature.ReadProcessorId): value = s->TscAux; return true;
            default: break;
        }
        if (!Has(CpuFeature.Mtrr))
            return false;
        if (msr == MsrNumber.MtrrCapability)
        {
            value = VariableMtrrCount | FixedMtrrs | WriteCombiningMtrr;
            return true;
        }
        ulong* range = MtrrOf(msr);
        if (range == null)
            return false;
        value = *range;
        return true;
    }

    private ulong* MtrrOf(uint msr)
    {
        VcpuState* s = State;
        return msr switch
        {
            >= MsrNumber.MtrrVariableFirst and <= MsrNumber.MtrrVariableLast => &s->MtrrVariable[0] + (msr - MsrNumber.MtrrVariableFirst),
            MsrNumber.MtrrFixed64K => &s->MtrrFixed[0],
            MsrNumber.MtrrFixed16KLow or MsrNumber.MtrrFixed16KHigh => &s->MtrrFixed[1] + (msr - MsrNumber.MtrrFixed16KLow),
            >= MsrNumber.MtrrFixed4KFirst and <= MsrNumber.MtrrFixed4KLast => &s->MtrrFixed[3] + (msr - MsrNumber.MtrrFixed4KFirst),
            MsrNumber.MtrrDefaultType => &s->MtrrDefaultType,
            _ => null,
        };
    }

    /// <summary>Writes a register that the core keeps, past any policy, with the checks of WRMSR.</summary>
    protected Outcome WriteKnownMsr(uint msr, ulong value, out bool known)
    {
        VcpuState* s = State;
        known = true;
        switch (msr)
        {
            case MsrNumber.TimeStampCounter:
                ulong moved = value - ReadTimeStampCounter();
                s->TscOffset += moved;
                s->TscAdjust += moved;
                return Outcome.NextBlock;
            case MsrNumber.TscAdjust when Has(CpuFeature.TscAdjust):
                s->TscOffset += value - s->TscAdjust;
                s->TscAdjust = value;
                return Outcome.NextBlock;
            case MsrNumber.ApicBase when Has(CpuFeature.Apic): return WriteApicBase(value);
            case MsrNumber.BiosSignature: return Outcome.Next; // software clears it before CPUID reports the revision
            case MsrNumber.SysenterCs: s->SysenterCs = (uint)value; return Outcome.Next;
            case MsrNumber.SysenterEsp: return WriteCanonical(ref s->SysenterEsp, value);
            case MsrNumber.SysenterEip: return WriteCanonical(ref s->SysenterEip, value);
            case MsrNumber.MachineCheckStatus when Has(CpuFeature.MachineCheckArchitecture):
                return value == 0 ? Outcome.Next : RaiseGeneralProtection();
            case MsrNumber.MachineCheckCapability or MsrNumber.PlatformId or MsrNumber.PlatformInformation or MsrNumber.MtrrCapability:
                return RaiseGeneralProtection(); // read-only
            case MsrNumber.MiscEnable: s->MiscEnable = value; return Outcome.Next;
            case MsrNumber.DebugControl: return value == 0 ? Outcome.Next : RaiseGeneralProtection(); // no branch recording, no branch trap
            case MsrNumber.Pat when Has(CpuFeature.PageAttributeTable): return WritePat(value);
            case MsrNumber.Xss when Has(CpuFeature.XsaveSupervisor): return WriteReserved(ref s->Xss, value, Model.SupportedXss);
            case MsrNumber.Efer when Model.EferAllowed != 0: return WriteEfer(value);
            case MsrNumber.Star: s->Star = value; return Outcome.Next;
            case MsrNumber.Lstar: return WriteCanonical(ref s->Lstar, value);
            case MsrNumber.Cstar: return WriteCanonical(ref s->Cstar, value);
            case MsrNumber.SyscallMask: return WriteReserved(ref s->SyscallMask, value, uint.MaxValue);
            case MsrNumber.FsBase: return WriteCanonical(ref s->Segments[SegmentIndex.Fs].Base, value);
            case MsrNumber.GsBase: return WriteCanonical(ref s->Segments[SegmentIndex.Gs].Base, value);
            case MsrNumber.KernelGsBase: return WriteCanonical(ref s->KernelGsBase, value);
            case MsrNumber.TscAux when Has(CpuFeature.Rdtscp) || Has(CpuFeature.ReadProcessorId):
                return WriteReserved(ref s->TscAux, value, uint.MaxValue);
            default: break;
        }
        ulong* range = Has(CpuFeature.Mtrr) ? MtrrOf(msr) : null;
        known = range != null;
        if (!known)
            return Outcome.Next;
        if (!IsValidMtrr(msr, value))
            return RaiseGeneralProtection();
        *range = value;
        return Outcome.NextBlock;
    }

    private Outcome WriteCanonical(ref ulong register, ulong value)
    {
        if (!IsCanonicalBase(value))
            return RaiseGeneralProtection();
        register = value;
        return Outcome.Next;
    }

    private Outcome WriteReserved(ref ulong register, ulong value, ulong allowed)
    {
        if ((value & ~allowed) != 0)
            return RaiseGeneralProtection();
        register = value;
        UpdateMode();
        return Outcome.NextBlock;
    }

    // SDM Vol. 3A 12.12.4: types 0, 1, 4, 5, 6 and 7.
    private Outcome WritePat(ulong value)
    {
        for (int i = 0; i < 64; i += 8)
        {
            if ((byte)(value >> i) is 2 or 3 or > 7)
                return RaiseGeneralProtection();
        }
        State->Pat = value;
        return Outcome.NextBlock;
    }

    // SDM Vol. 3A 12.11.2: types 0, 1, 4, 5 and 6; reserved bits must be clear.
    private bool IsValidMtrr(uint msr, ulong value)
    {
        ulong beyond = ulong.MaxValue << PhysicalAddressBits;
        if (msr == MsrNumber.MtrrDefaultType)
            return (value & ~0xCFFUL) == 0 && IsMtrrType((byte)value);
        if (msr <= MsrNumber.MtrrVariableLast)
        {
            return (msr & 1) == 0
                ? (value & (beyond | 0xF00)) == 0 && IsMtrrType((byte)value)
                : (value & (beyond | 0x7FF)) == 0;
        }
        for (int i = 0; i < 64; i += 8)
        {
            if (!IsMtrrType((byte)(value >> i)))
                return false;
        }
        return true;
    }

    private static bool IsMtrrType(byte type) => type is 0 or 1 or 4 or 5 or 6;

    // SDM Vol. 3A 11.4.4, 11.12.5: reserved bits, and x2APIC mode entered only from xAPIC mode and left only to disabled.
    private Outcome WriteApicBase(ulong value)
    {
        ulong allowed = ((1UL << PhysicalAddressBits) - 0x1000) | ApicBaseEnable | ApicBaseBootProcessor | (Has(CpuFeature.X2Apic)
            ? ApicBaseX2 : 0);
        const ulong mode = ApicBaseEnable | ApicBaseX2;
        ulong from = State->ApicBase & mode, to = value & mode;
        if ((value & ~allowed) != 0 || to == ApicBaseX2 || (from == mode && to == ApicBaseEnable) || (from == 0 && to == mode))
            return RaiseGeneralProtection();
        if (!OnApicBaseWrite(value))
            return RaiseGeneralProtection();
        ChangeTranslations();
        return Outcome.NextBlock;
    }
}
