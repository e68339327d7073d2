namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const ulong Cr0Known = Cr0Bits.ProtectionEnable | Cr0Bits.MonitorCoprocessor | Cr0Bits.Emulation | Cr0Bits.TaskSwitched
        | Cr0Bits.NumericError | Cr0Bits.WriteProtect | Cr0Bits.AlignmentMask | Cr0Bits.NotWriteThrough | Cr0Bits.CacheDisable
        | Cr0Bits.Paging;

    /// <summary>
    /// MOV to CR0 (SDM Vol. 3A 2.5, 10.8.5): checks, IA-32e activation and deactivation, PDPTE load, mode and translations.
    /// </summary>
    /// <returns><see cref="Outcome.NextBlock"/>; <see cref="Outcome.Fault"/> with #GP(0); <see cref="Outcome.Exit"/> for the PDPTE
    /// load.</returns>
    public Outcome WriteCr0(ulong value)
    {
        VcpuState* s = State;
        if ((value >> 32) != 0 || (value & (Cr0Bits.Paging | Cr0Bits.ProtectionEnable)) == Cr0Bits.Paging
            || (value & (Cr0Bits.NotWriteThrough | Cr0Bits.CacheDisable)) == Cr0Bits.NotWriteThrough)
            return RaiseGeneralProtection();
        value = (value & Cr0Known) | Cr0Bits.ExtensionType;
        ulong changed = value ^ s->Cr0;
        ulong efer = s->Efer;
        bool paging = (value & Cr0Bits.Paging) != 0;
        if ((changed & Cr0Bits.Paging) != 0)
        {
            if (paging && (efer & EferBits.LongModeEnable) != 0)
            {
                ref SegmentRegister tr = ref s->Segments[SegmentIndex.Tr];
                bool shortTss = !tr.Unusable && (tr.Type & 8) == 0;
                if ((s->Cr4 & Cr4Bits.PhysicalAddressExtension) == 0 || s->Segments[SegmentIndex.Cs].Long || shortTss)
                    return RaiseGeneralProtection();
                efer |= EferBits.LongModeActive;
            }
            else if (!paging)
            {
                if (Is64Bit || (s->Cr4 & Cr4Bits.Pcid) != 0)
                    return RaiseGeneralProtection();
                efer &= ~EferBits.LongModeActive;
            }
        }
        if (paging && (efer & EferBits.LongModeActive) == 0 && (s->Cr4 & Cr4Bits.PhysicalAddressExtension) != 0
            && (changed & (Cr0Bits.Paging | Cr0Bits.CacheDisable | Cr0Bits.NotWriteThrough)) != 0 && !LoadPdptes(s->Cr3))
            return Stopped;
        s->Cr0 = value;
        s->Efer = efer;
        UpdateMode();
        if ((changed & (Cr0Bits.Paging | Cr0Bits.WriteProtect | Cr0Bits.ProtectionEnable)) != 0)
            ChangeTranslations();
        return Outcome.NextBlock;
    }

    /// <summary>MOV to CR3 (SDM Vol. 3A 4.5, 4.10.4.1). <see cref="Outcome.NextBlock"/>, or #GP(0) for reserved bits.</summary>
    public Outcome WriteCr3(ulong value)
    {
        VcpuState* s = State;
        bool keep = false;
        if (Is64Bit)
        {
            ulong reserved = ulong.MaxValue << PhysicalAddressBits;
            if ((s->Cr4 & Cr4Bits.Pcid) != 0)
            {
                reserved &= ~(1UL << 63);
                keep = (value >> 63) != 0;
            }
            if ((value & reserved) != 0)
                return RaiseGeneralProtection();
            value &= ~(1UL << 63);
        }
        else if (UsesPdptes(s) && !LoadPdptes(value))
        {
            return Stopped;
        }
        s->Cr3 = value;
        SwitchContext(keep);
        return Outcome.NextBlock;
    }

    /// <summary>MOV to CR4 (SDM Vol. 3A 2.5). <see cref="Outcome.NextBlock"/>, #GP(0), or an exit for the PDPTE load.</summary>
    public Outcome WriteCr4(ulong value)
    {
        VcpuState* s = State;
        ulong changed = value ^ s->Cr4;
        bool longMode = (s->Efer & EferBits.LongModeActive) != 0;
        if ((value & ~Model.Cr4Allowed) != 0
            || (longMode && ((value & Cr4Bits.PhysicalAddressExtension) == 0 || (changed & Cr4Bits.La57) != 0))
            || ((changed & value & Cr4Bits.Pcid) != 0 && (!longMode || (s->Cr3 & 0xFFF) != 0)))
            return RaiseGeneralProtection();
        const ulong translation = Cr4Bits.PhysicalAddressExtension | Cr4Bits.PageGlobal | Cr4Bits.PageSizeExtension | Cr4Bits.Smep;
        if (!longMode && (s->Cr0 & Cr0Bits.Paging) != 0 && (value & Cr4Bits.PhysicalAddressExtension) != 0 && (changed & translation) != 0
            && !LoadPdptes(s->Cr3))
            return Stopped;
        s->Cr4 = value;
        UpdateMode();
        UpdateBreakpoints();
        if ((changed & (translation | Cr4Bits.Smap | Cr4Bits.Pcid | Cr4Bits.ProtectionKeys)) != 0)
            ChangeTranslations();
        return Outcome.NextBlock;
    }

    /// <summary>MOV to CR8: the task priority (SDM Vol. 3A 11.8.6). #GP(0) for reserved bits.</summary>
    public Outcome WriteCr8(ulong value)
    {
        if (value > 15)
            return RaiseGeneralProtection();
        State->Cr8 = value;
        OnTaskPriorityChanged();
        return Outcome.NextBlock;
    }

    /// <summary>WRMSR of EFER (SDM Vol. 3A 2.2.1, 10.8.5): LMA is kept, LME cannot change while paging is on.</summary>
    public Outcome WriteEfer(ulong value)
    {
        VcpuState* s = State;
        value &= ~EferBits.LongModeActive;
        ulong changed = value ^ (s->Efer & ~EferBits.LongModeActive);
        if ((value & ~Model.EferAllowed) != 0
            || ((changed & EferBits.LongModeEnable) != 0 && (s->Cr0 & Cr0Bits.Paging) != 0))
            return RaiseGeneralProtection();
        s->Efer = value | (s->Efer & EferBits.LongModeActive);
        UpdateMode();
        if ((changed & EferBits.NoExecute) != 0)
            ChangeTranslations();
        return Outcome.NextBlock;
    }

    /// <summary>XSETBV of XCR0 (SDM Vol. 1 13.3). #GP(0) for an unsupported or inconsistent set of states.</summary>
    public Outcome WriteXcr0(ulong value)
    {
        const ulong x87 = 1, sse = 2, avx = 4, bounds = 0x18, avx512 = 0xE0;
        if ((value & x87) == 0 || (value & ~Model.SupportedXcr0) != 0
            || ((value & avx) != 0 && (value & sse) == 0)
            || ((value & bounds) is not 0 and not bounds)
            || ((value & avx512) != 0 && ((value & avx512) != avx512 || (value & avx) == 0)))
            return RaiseGeneralProtection();
        State->Xcr0 = value;
        UpdateMode();
        return Outcome.NextBlock;
    }

    /// <summary>Sets PKRU. Translations of user-mode pages for data follow it; those for code do not (SDM Vol. 3A 4.6.2).</summary>
    internal Outcome WriteKeyRights(uint value)
    {
        if (State->Pkru == value)
            return Outcome.Next;
        State->Pkru = value;
        FlushDataTlb();
        return Outcome.NextBlock;
    }

    private static bool UsesPdptes(VcpuState* s) =>
        (s->Cr0 & Cr0Bits.Paging) != 0 && (s->Cr4 & Cr4Bits.PhysicalAddressExtension) != 0 && (s->Efer & EferBits.LongModeActive) == 0;

    // SDM Vol. 3A 4.4.1: the four entries are read and checked when CR3 is loaded; a reserved bit in a present one is #GP(0).
    private bool LoadPdptes(ulong cr3)
    {
        ulong address = cr3 & 0xFFFF_FFE0;
        ResolvePhysical(address, PhysicalAccess.WalkRead, out PhysicalPage page);
        if (page.Kind != PhysicalPageKind.Memory)
            return StopForWalk(address, PhysicalAccess.WalkRead);
        ulong* entries = (ulong*)(page.Host + (address & 0xFFF));
        ulong reserved = 0x1E6 | (ulong.MaxValue << PhysicalAddressBits);
        ulong a = entries[0], b = entries[1], c = entries[2], d = entries[3];
        if (IsBad(a, reserved) || IsBad(b, reserved) || IsBad(c, reserved) || IsBad(d, reserved))
        {
            RaiseGeneralProtection();
            return false;
        }
        ulong* registers = &State->Pdpte[0];
        registers[0] = a;
        registers[1] = b;
        registers[2] = c;
        registers[3] = d;
        return true;
    }

    private static bool IsBad(ulong entry, ulong reserved) => (entry & 1) != 0 && (entry & reserved) != 0;
}
