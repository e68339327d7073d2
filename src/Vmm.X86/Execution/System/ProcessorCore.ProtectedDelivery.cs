namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>Through the 8-byte IDT of protected and virtual-8086 mode (SDM Vol. 3A 6.12, Vol. 2A INT).</summary>
    private Outcome EnterProtectedMode(in PendingEvent e, ulong flags, ulong returnRip)
    {
        VcpuState* s = State;
        bool virtual8086 = (s->FlagsSystem & LazyFlags.Vm) != 0;
        if (virtual8086 && e.Kind == EventKind.SoftwareInterrupt
            && !MayInterruptFromVirtual8086(e.Vector, flags, returnRip, out Outcome redirected))
            return redirected;
        uint index = e.Vector * 8U;
        if (index + 7 > s->Idtr.Limit)
            return RaiseIdt(ExceptionVector.GeneralProtection, e.Vector);
        if (!ReadSystem(TableLinear(s->Idtr.Base + index), out ulong low))
            return Stopped;
        Descriptor gate = new(low);
        bool software = e.Kind is EventKind.SoftwareInterrupt or EventKind.SoftwareException;
        if (gate.IsCodeOrData || (gate.Type != SystemDescriptorType.TaskGate && (gate.Type & 6) != 6) || (software && gate.Dpl < s->Cpl))
            return RaiseIdt(ExceptionVector.GeneralProtection, e.Vector);
        if (!gate.Present)
            return RaiseIdt(ExceptionVector.SegmentNotPresent, e.Vector);
        ushort selector = gate.GateSelector;
        if (gate.Type == SystemDescriptorType.TaskGate)
            return SwitchThroughGate(selector, TaskSwitchKind.Nest, returnRip, flags, e.HasErrorCode ? e.ErrorCode : null);
        if (!ReadHandlerCode(selector, out Descriptor code))
            return Stopped;
        uint level = code.IsConforming ? s->Cpl : code.Dpl;
        if (virtual8086 && level != 0)
            return RaiseSelector(ExceptionVector.GeneralProtection, selector);
        if (!code.Present)
            return RaiseSelector(ExceptionVector.SegmentNotPresent, selector);

        int size = (gate.Type & 8) != 0 ? 4 : 2;
        bool inner = level < s->Cpl;
        StackCursor stack = CurrentStack();
        Descriptor stackDescriptor = default;
        ushort stackSelector = 0;
        if (inner && !OpenInnerStack(level, out stack, out stackDescriptor, out stackSelector))
            return Stopped;
        int frame = ((inner ? 5 : 3) + (virtual8086 ? 4 : 0) + (e.HasErrorCode ? 1 : 0)) * size;
        ulong target = size == 4 ? gate.GateOffset : (ushort)gate.GateOffset;
        if (!CheckTarget(in code, target)
            || !MarkAccessed(ref code)
            || (inner && !MarkAccessed(ref stackDescriptor))
            || !Reserve(ref stack, frame)
            || (virtual8086 && !PushVirtual8086Segments(ref stack, size))
            || (inner && (!Push(ref stack, s->Segments[SegmentIndex.Ss].Selector, size) || !Push(ref stack, s->General[4], size)))
            || !Push(ref stack, flags, size)
            || !Push(ref stack, s->Segments[SegmentIndex.Cs].Selector, size)
            || !Push(ref stack, returnRip, size)
            || (e.HasErrorCode && !Push(ref stack, e.ErrorCode, size)))
            return Stopped;
        if (inner)
            s->Segments[SegmentIndex.Ss] = stackDescriptor.ToSegment(stackSelector);
        CommitStackPointer(in stack);
        if (virtual8086)
        {
            s->Segments[SegmentIndex.Gs] = s->Segments[SegmentIndex.Fs] = NullSegment(0);
            s->Segments[SegmentIndex.Ds] = s->Segments[SegmentIndex.Es] = NullSegment(0);
        }
        ClearHandlerFlags((gate.Type & 1) == 0);
        return CommitCode(in code, selector, level, target);
    }

    private bool PushVirtual8086Segments(ref StackCursor stack, int size)
    {
        VcpuState* s = State;
        return Push(ref stack, s->Segments[SegmentIndex.Gs].Selector, size)
            && Push(ref stack, s->Segments[SegmentIndex.Fs].Selector, size)
            && Push(ref stack, s->Segments[SegmentIndex.Ds].Selector, size)
            && Push(ref stack, s->Segments[SegmentIndex.Es].Selector, size);
    }

    /// <summary>
    /// Reads SS:ESP of an inner level from the TSS and checks the segment (SDM Vol. 3A 5.8.5, 8.2). False: #TS with the TSS's or the
    /// stack's selector, #SS(stack) when it is not present, or stopped.
    /// </summary>
    private bool OpenInnerStack(uint level, out StackCursor stack, out Descriptor descriptor, out ushort selector)
    {
        ref SegmentRegister tr = ref State->Segments[SegmentIndex.Tr];
        stack = default;
        descriptor = default;
        selector = 0;
        bool wide = (tr.Type & 8) != 0;
        uint offset = wide ? (level * 8) + 4 : (level * 4) + 2;
        if (tr.Unusable || offset + (wide ? 5U : 3U) > tr.Limit)
            return FailSelector(ExceptionVector.InvalidTss, tr.Selector);
        ulong address = TableLinear(tr.Base + offset);
        uint pointer;
        if (wide)
        {
            if (!ReadSystem(address, out pointer))
                return false;
        }
        else
        {
            if (!ReadSystem(address, out ushort shortPointer))
                return false;
            pointer = shortPointer;
        }
        if (!ReadSystem(TableLinear(address + (wide ? 4U : 2U)), out selector))
            return false;
        if (IsNull(selector))
            return FailNull(ExceptionVector.InvalidTss);
        if (!ReadStackDescriptor(selector, level, ExceptionVector.InvalidTss, out descriptor))
            return false;
        stack = new StackCursor
        {
            Segment = descriptor.ToSegment(selector),
            Pointer = pointer,
            Mask = descriptor.Big ? uint.MaxValue : 0xFFFF,
            User = level == 3,
            ErrorCode = (selector & 0xFFFCU) | _externalEvent,
        };
        return true;
    }

    /// <summary>
    /// INT n in virtual-8086 mode (SDM Vol. 3B 21.3, table 21-2): to the monitor through the IDT (true), to the program's own vector table,
    /// or #GP(0).
    /// </summary>
    private bool MayInterruptFromVirtual8086(byte vector, ulong flags, ulong returnRip, out Outcome outcome)
    {
        VcpuState* s = State;
        bool full = (s->FlagsSystem & LazyFlags.Iopl) == LazyFlags.Iopl;
        outcome = Outcome.Next;
        if ((s->Cr4 & Cr4Bits.Vme) != 0)
        {
            ref SegmentRegister tr = ref s->Segments[SegmentIndex.Tr];
            if (tr.Limit < 0x67)
            {
                outcome = RaiseGeneralProtection();
                return false;
            }
            // The redirection map is the 32 bytes below the I/O permission map.
            if (!ReadSystem(TableLinear(tr.Base + 0x66), out ushort map))
            {
                outcome = Stopped;
                return false;
            }
            uint offset = map - 32U + (vector / 8U);
            if (offset > tr.Limit)
            {
                outcome = RaiseGeneralProtection();
                return false;
            }
            if (!ReadSystem(TableLinear(tr.Base + offset), out byte bits))
            {
                outcome = Stopped;
                return false;
            }
            if ((bits & (1 << (vector & 7))) == 0)
            {
                if (!full)
                {
                    // IOPL reads as 3 and IF as VIF to the program.
                    flags = (flags & ~(ulong)LazyFlags.If) | LazyFlags.Iopl | ((flags & LazyFlags.Vif) != 0 ? LazyFlags.If : 0UL);
                }
                outcome = EnterRealMode(vector, flags, returnRip, 0, 0x3FF);
                return false;
            }
        }
        if (full)
            return true;
        outcome = RaiseGeneralProtection();
        return false;
    }
}
