namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const uint ReturnFlags = LazyFlags.Arithmetic | LazyFlags.Tf | LazyFlags.Df | LazyFlags.Nt;
    private bool _keepResumeFlag;

    /// <summary>IRET, IRETD, IRETQ by the size popped (SDM Vol. 2A IRET). NMIs are unblocked even when it faults (Vol. 3A 6.7.1).</summary>
    internal Outcome InterruptReturn(int size, ulong nextRip)
    {
        VcpuState* s = State;
        s->NmiBlocked = false;
        if ((s->Mode & ExecutionMode.Protected) == 0)
            return ReturnInRealMode(size);
        if ((s->FlagsSystem & LazyFlags.Vm) != 0)
            return ReturnInVirtual8086(size);
        if ((s->FlagsSystem & LazyFlags.Nt) != 0)
            return ReturnFromTask(nextRip);

        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out ulong rip) || !Pop(ref stack, size, out ulong popped) || !Pop(ref stack, size, out ulong flags))
            return Stopped;
        ushort selector = (ushort)popped;
        if ((flags & LazyFlags.Vm) != 0 && size == 4 && s->Cpl == 0 && !IsLongMode)
            return ReturnToVirtual8086(ref stack, rip, selector, flags);
        if (!ReadReturnCode(selector, out Descriptor code))
            return Stopped;
        uint level = selector & 3U;
        bool longCode = IsLongMode && code.Long;
        bool switches = level > s->Cpl || Is64Bit;
        SegmentRegister newStack = default;
        ulong pointer = 0;
        if (switches
            && (!Pop(ref stack, size, out pointer) || !Pop(ref stack, size, out popped)
                || !ReadReturnStack((ushort)popped, level, longCode, out newStack)))
            return Stopped;
        if (!CheckTarget(in code, rip) || !MarkAccessed(ref code))
            return Stopped;

        uint writable = ReturnFlags;
        if (size != 2)
            writable |= LazyFlags.Rf | LazyFlags.Ac | LazyFlags.Id;
        if (s->Cpl <= ((s->FlagsSystem >> 12) & 3))
            writable |= LazyFlags.If;
        if (s->Cpl == 0)
            writable |= LazyFlags.Iopl | (size != 2 ? LazyFlags.Vif | LazyFlags.Vip : 0);
#if VMM_MUTANTS
        if (Broken(Mutant.IretKeepsFlags))
            writable = 0;
#endif
        if (switches)
            CommitReturnStack(in newStack, pointer, longCode);
        else
            CommitStackPointer(in stack);
        bool outer = level > s->Cpl;
        SetReturnFlags(flags, writable);
        CommitCode(in code, selector, level, rip);
        if (outer)
            DropInnerSegments(level);
        UpdateMode();
        return Outcome.Branch;
    }

    private void SetReturnFlags(ulong flags, uint writable)
    {
        VcpuState* s = State;
        LazyFlags.Set(s, (LazyFlags.Get(s) & ~((ulong)writable | LazyFlags.Rf)) | (flags & writable));
        _keepResumeFlag = true;
    }

    private Outcome ReturnInRealMode(int size)
    {
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out ulong rip) || !Pop(ref stack, size, out ulong selector) || !Pop(ref stack, size, out ulong flags)
            || !CheckParagraphTarget(rip))
            return Stopped;
        CommitStackPointer(in stack);
        uint writable = ReturnFlags | LazyFlags.If | LazyFlags.Iopl;
        SetReturnFlags(flags, size == 2 ? writable : writable | LazyFlags.Rf | LazyFlags.Ac | LazyFlags.Id);
        return CommitParagraph((ushort)selector, rip);
    }

    private Outcome ReturnInVirtual8086(int size)
    {
        VcpuState* s = State;
        bool full = (s->FlagsSystem & LazyFlags.Iopl) == LazyFlags.Iopl;
        bool virtualFlag = !full && size == 2 && (s->Cr4 & Cr4Bits.Vme) != 0;
        if (!full && !virtualFlag)
            return RaiseGeneralProtection();
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out ulong rip) || !Pop(ref stack, size, out ulong selector) || !Pop(ref stack, size, out ulong flags)
            || !CheckParagraphTarget(rip))
            return Stopped;
        uint writable = ReturnFlags;
        if (virtualFlag)
        {
            if ((flags & LazyFlags.Tf) != 0 || ((flags & LazyFlags.If) != 0 && (s->FlagsSystem & LazyFlags.Vip) != 0))
                return RaiseGeneralProtection();
            s->FlagsSystem = (flags & LazyFlags.If) != 0 ? s->FlagsSystem | LazyFlags.Vif : s->FlagsSystem & ~LazyFlags.Vif;
        }
        else
        {
            writable |= LazyFlags.If;
        }
        CommitStackPointer(in stack);
        SetReturnFlags(flags, size == 2 ? writable : writable | LazyFlags.Rf | LazyFlags.Ac | LazyFlags.Id);
        return CommitParagraph((ushort)selector, rip);
    }

    // The monitor of a virtual-8086 task goes back to it: nothing that is popped can fail but the pops themselves and EIP.
    private Outcome ReturnToVirtual8086(ref StackCursor stack, ulong rip, ushort selector, ulong flags)
    {
        VcpuState* s = State;
        if (!Pop(ref stack, 4, out ulong pointer) || !Pop(ref stack, 4, out ulong ss) || !Pop(ref stack, 4, out ulong es)
            || !Pop(ref stack, 4, out ulong ds) || !Pop(ref stack, 4, out ulong fs) || !Pop(ref stack, 4, out ulong gs))
            return Stopped;
        if (rip > 0xFFFF)
            return RaiseGeneralProtection();
        LazyFlags.Set(s, flags);
        _keepResumeFlag = true;
        s->Cpl = 3;
        LoadFlatParagraph(SegmentIndex.Ss, (ushort)ss);
        LoadFlatParagraph(SegmentIndex.Es, (ushort)es);
        LoadFlatParagraph(SegmentIndex.Ds, (ushort)ds);
        LoadFlatParagraph(SegmentIndex.Fs, (ushort)fs);
        LoadFlatParagraph(SegmentIndex.Gs, (ushort)gs);
        s->General[4] = (uint)pointer;
        return CommitParagraph(selector, rip);
    }
}
