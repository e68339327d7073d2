namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// Recomputes <see cref="VcpuState.Mode"/> and the soft-TLB bank. Must follow every change of CR0, CR4, EFER, CPL, RFLAGS.VM/TF/RF/AC
    /// and the hidden
    /// parts of CS, SS, DS, ES; the instruction that does so returns <see cref="Outcome.NextBlock"/> or <see cref="Outcome.Branch"/>.
    /// </summary>
    public void UpdateMode()
    {
        VcpuState* s = State;
        uint mode = 0;
        bool longMode = (s->Efer & EferBits.LongModeActive) != 0;
        ref SegmentRegister cs = ref s->Segments[SegmentIndex.Cs];
        bool code64 = longMode && cs.Long;
        if (longMode)
            mode |= ExecutionMode.LongMode;
        mode |= code64 ? ExecutionMode.Code64 : cs.Big ? ExecutionMode.Code32 : ExecutionMode.Code16;
        if (code64 || s->Segments[SegmentIndex.Ss].Big)
            mode |= ExecutionMode.BigStack;
        if ((s->Cr0 & Cr0Bits.ProtectionEnable) != 0)
            mode |= ExecutionMode.Protected;
        if ((s->Cr0 & Cr0Bits.Paging) != 0)
            mode |= ExecutionMode.Paging;
        if ((s->FlagsSystem & LazyFlags.Vm) != 0)
            mode |= ExecutionMode.Virtual8086;
        if (s->Cpl == 3)
            mode |= ExecutionMode.User;
        if (MustStep)
            mode |= ExecutionMode.SingleStep;
        if (_hostBreakpoints.Length != 0)
            mode |= ExecutionMode.HostBreakpoints;
        if (code64 || (IsFlat(ref cs, true) && IsFlat(ref s->Segments[SegmentIndex.Ds], false)
            && IsFlat(ref s->Segments[SegmentIndex.Es], false)
                && IsFlat(ref s->Segments[SegmentIndex.Ss], false)))
            mode |= ExecutionMode.Flat;
        if ((s->Cr0 & (Cr0Bits.Emulation | Cr0Bits.TaskSwitched)) == 0)
        {
            mode |= ExecutionMode.FpuUsable;
            if ((s->Cr4 & Cr4Bits.OsFxsr) != 0)
                mode |= ExecutionMode.SseUsable;
        }
        if (VexOperands.Enabled(s) && (s->Cr0 & Cr0Bits.TaskSwitched) == 0)
            mode |= ExecutionMode.AvxUsable;
        bool fiveLevel = longMode && (s->Cr4 & Cr4Bits.La57) != 0;
        if (fiveLevel)
            mode |= ExecutionMode.FiveLevel;
        _canonicalShift = fiveLevel ? 7 : 16;
        s->Mode = mode;
        _pagingStale = true;
        s->JumpKey = JumpKeyOf(mode);
        SelectTlbBank();
    }

    /// <summary>The mask of a linear address: 64 bits in 64-bit code, else 32.</summary>
    public ulong LinearMask => (State->Mode & ExecutionMode.CodeSizeMask) == ExecutionMode.Code64 ? ulong.MaxValue : uint.MaxValue;

    /// <summary>64-bit code is running.</summary>
    public bool Is64Bit => (State->Mode & ExecutionMode.CodeSizeMask) == ExecutionMode.Code64;

    private static bool IsFlat(ref SegmentRegister segment, bool code)
    {
        if (segment.Base != 0 || segment.Limit != uint.MaxValue || segment.Unusable || !segment.Present || !segment.CodeOrData)
            return false;
        // Data must be writable and expand up, code readable, so that no access through them can fail.
        return code ? (segment.Type & 10) == 10 : (segment.Type & 14) == 2;
    }

    private void SelectTlbBank()
    {
        VcpuState* s = State;
        _checksAlignment = s->Cpl == 3 && (s->Cr0 & Cr0Bits.AlignmentMask) != 0 && (s->FlagsSystem & LazyFlags.Ac) != 0;
        int bank = _checksAlignment ? 3 : TlbBank(s->Cpl == 3);
        s->ReadTlb = Bank(bank, false);
        s->WriteTlb = Bank(bank, true);
    }

    private int TlbBank(bool user) => user ? 1 : (State->Cr4 & Cr4Bits.Smap) != 0 && (State->FlagsSystem & LazyFlags.Ac) != 0 ? 2 : 0;

    private TlbEntry* Bank(int bank, bool write) => _tlb + (((bank * 2) + (write ? 1 : 0)) * SoftTlb.Entries);
}
