namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const uint Tss32Limit = 0x67, Tss16Limit = 0x2B, Busy = 2;

    /// <summary>JMP or CALL to a TSS or a task gate, after its descriptor was read.</summary>
    private Outcome TransferToTask(ushort selector, Descriptor descriptor, TaskSwitchKind kind, ulong returnRip)
    {
        bool gate = descriptor.Type == SystemDescriptorType.TaskGate;
        bool known = gate || descriptor.Type is SystemDescriptorType.AvailableTss16 or SystemDescriptorType.AvailableTss32;
        if (IsLongMode || !known || descriptor.Dpl < State->Cpl || descriptor.Dpl < (selector & 3U))
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        if (gate)
        {
            if (!descriptor.Present)
                return RaiseSelector(ExceptionVector.SegmentNotPresent, selector);
            return SwitchThroughGate(descriptor.GateSelector, kind, returnRip, LazyFlags.Get(State), null);
        }
        return SwitchTask(selector, descriptor, kind, returnRip, LazyFlags.Get(State), null);
    }

    /// <summary>A task switch to the TSS that a task gate names.</summary>
    private Outcome SwitchThroughGate(ushort selector, TaskSwitchKind kind, ulong returnRip, ulong flags, uint? errorCode)
    {
        if (IsNull(selector) || (selector & 4) != 0)
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor tss))
            return Stopped;
        if (tss.IsCodeOrData || tss.Type is not (SystemDescriptorType.AvailableTss16 or SystemDescriptorType.AvailableTss32))
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        return SwitchTask(selector, tss, kind, returnRip, flags, errorCode);
    }

    /// <summary>IRET with NT set: to the task in the link field of the current TSS.</summary>
    private Outcome ReturnFromTask(ulong nextRip)
    {
        if (IsLongMode)
            return RaiseGeneralProtection();
        if (!ReadSystem((uint)State->Segments[SegmentIndex.Tr].Base, out ushort selector))
            return Stopped;
        if (IsNull(selector) || (selector & 4) != 0)
            return RaiseSelector(ExceptionVector.InvalidTss, selector);
        if (!ReadDescriptor(selector, ExceptionVector.InvalidTss, out Descriptor tss))
            return Stopped;
        if (tss.IsCodeOrData || tss.Type is not (SystemDescriptorType.BusyTss16 or SystemDescriptorType.BusyTss32))
            return RaiseSelector(ExceptionVector.InvalidTss, selector);
        return SwitchTask(selector, tss, TaskSwitchKind.Return, nextRip, LazyFlags.Get(State) & ~(ulong)LazyFlags.Nt, null);
    }

    /// <summary>
    /// The switch itself (SDM Vol. 3A 8.3). Until everything of both TSSs is known to be reachable nothing changes; faults after that
    /// belong to the new task, at its first instruction.
    /// </summary>
    private Outcome SwitchTask(ushort selector, Descriptor tss, TaskSwitchKind kind, ulong returnRip, ulong flags, uint? errorCode)
    {
        VcpuState* s = State;
        ref SegmentRegister tr = ref s->Segments[SegmentIndex.Tr];
        bool wide = (tss.Type & 8) != 0, oldWide = (tr.Type & 8) != 0;
        if (!tss.Present)
            return RaiseSelector(ExceptionVector.SegmentNotPresent, selector);
        if (tss.Limit < (wide ? Tss32Limit : Tss16Limit))
            return RaiseSelector(ExceptionVector.InvalidTss, selector);
        uint newBase = (uint)tss.Base, oldBase = (uint)tr.Base;
        ushort oldSelector = tr.Selector;
        if (!ReadTask(newBase, wide, out TaskState next)
            || !ProbeSystem(oldBase, (oldWide ? Tss32Limit : Tss16Limit) + 1)
            || (kind == TaskSwitchKind.Nest && !ProbeSystem(newBase, 2))
            || (kind != TaskSwitchKind.Nest && !MarkBusy(oldSelector, false))
            || !SaveTask(oldBase, oldWide, returnRip, flags)
            || (kind == TaskSwitchKind.Nest && !WriteSystem(newBase, oldSelector))
            || (kind != TaskSwitchKind.Return && !ChangeSystem(tss.Address + 5, (byte)Busy, 0)))
            return Stopped;

        SegmentRegister register = tss.ToSegment(selector);
        register.Attributes |= Busy;
        tr = register;
        s->Cr0 |= Cr0Bits.TaskSwitched;
        if (wide && (s->Cr0 & Cr0Bits.Paging) != 0 && next.Cr3 != s->Cr3)
        {
            if (UsesPdptes(s) && !LoadPdptes(next.Cr3))
                return Stopped;
            s->Cr3 = next.Cr3;
        }
        for (int i = 0; i < 8; i++)
            s->General[i] = next.General[i];
        LazyFlags.Set(s, kind == TaskSwitchKind.Nest ? next.Eflags | LazyFlags.Nt : next.Eflags);
        s->Rip = next.Eip;
        s->Debug[7] &= ~0x155UL; // the local enables belong to the task
        UpdateBreakpoints();
        if ((next.Trap & 1) != 0)
            s->PendingDebugTrap |= DebugBits.StatusTask;
        bool loaded = LoadTaskSegments(ref next);
        UpdateMode();
        ChangeTranslations();
        _keepResumeFlag = true;
        if (!loaded)
            return Stopped;
        return errorCode is uint code && !PushErrorCode(code, wide ? 4 : 2) ? Stopped : Outcome.Branch;
    }

    private bool PushErrorCode(uint code, int size)
    {
        StackCursor stack = CurrentStack();
        if (!Reserve(ref stack, size) || !Push(ref stack, code, size))
            return false;
        CommitStackPointer(in stack);
        return true;
    }

    /// <summary>Sets or clears the busy bit of a TSS's descriptor.</summary>
    private bool MarkBusy(ushort selector, bool busy)
    {
        if (!FindDescriptor(selector, 8, out ulong address))
            return FailSelector(ExceptionVector.InvalidTss, selector);
        return ChangeSystem(address + 5, busy ? (byte)Busy : (byte)0, busy ? (byte)0 : (byte)Busy);
    }

    /// <summary>Selectors first, then their descriptors: LDT, CS, SS and the data segments, each able to fault in the new task.</summary>
    private bool LoadTaskSegments(ref TaskState next)
    {
        VcpuState* s = State;
        for (int i = 0; i < 6; i++)
            s->Segments[i] = NullSegment(next.Segments[i]);
        s->Segments[SegmentIndex.Ldtr] = NullSegment(next.Ldt);
        bool virtual8086 = (next.Eflags & LazyFlags.Vm) != 0;
        s->Cpl = virtual8086 ? 3 : next.Segments[SegmentIndex.Cs] & 3U;
        if (!LoadTaskLdt(next.Ldt))
            return false;
        if (virtual8086)
        {
            for (int i = 0; i < 6; i++)
                LoadFlatParagraph(i, next.Segments[i]);
            return CheckParagraphTarget(s->Rip);
        }
        ushort selector = next.Segments[SegmentIndex.Cs];
        if (IsNull(selector))
            return FailSelector(ExceptionVector.InvalidTss, selector);
        if (!ReadDescriptor(selector, ExceptionVector.InvalidTss, out Descriptor code))
            return false;
        if (!code.IsCode || (code.IsConforming ? code.Dpl > s->Cpl : code.Dpl != s->Cpl))
            return FailSelector(ExceptionVector.InvalidTss, selector);
        if (!code.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        if (!MarkAccessed(ref code))
            return false;
        s->Segments[SegmentIndex.Cs] = code.ToSegment(selector);
        selector = next.Segments[SegmentIndex.Ss];
        if (IsNull(selector))
            return FailSelector(ExceptionVector.InvalidTss, selector);
        if (!ReadStackDescriptor(selector, s->Cpl, ExceptionVector.InvalidTss, out Descriptor stack) || !MarkAccessed(ref stack))
            return false;
        s->Segments[SegmentIndex.Ss] = stack.ToSegment(selector);
        foreach (int index in (ReadOnlySpan<int>)[SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
        {
            if (!LoadTaskData(index, next.Segments[index]))
                return false;
        }
        return CheckTarget(in code, s->Rip);
    }

    private bool LoadTaskLdt(ushort selector)
    {
        if (IsNull(selector))
            return true;
        if ((selector & 4) != 0)
            return FailSelector(ExceptionVector.InvalidTss, selector);
        if (!ReadDescriptor(selector, ExceptionVector.InvalidTss, out Descriptor descriptor))
            return false;
        if (descriptor.IsCodeOrData || descriptor.Type != SystemDescriptorType.Ldt || !descriptor.Present)
            return FailSelector(ExceptionVector.InvalidTss, selector);
        State->Segments[SegmentIndex.Ldtr] = descriptor.ToSegment(selector);
        return true;
    }

    private bool LoadTaskData(int index, ushort selector)
    {
        if (IsNull(selector))
            return true;
        if (!ReadDescriptor(selector, ExceptionVector.InvalidTss, out Descriptor descriptor))
            return false;
        bool bound = !descriptor.IsConforming && ((selector & 3U) > descriptor.Dpl || State->Cpl > descriptor.Dpl);
        if (!descriptor.IsReadable || bound)
            return FailSelector(ExceptionVector.InvalidTss, selector);
        if (!descriptor.Present)
            return FailSelector(ExceptionVector.SegmentNotPresent, selector);
        if (!MarkAccessed(ref descriptor))
            return false;
        State->Segments[index] = descriptor.ToSegment(selector);
        return true;
    }
}
