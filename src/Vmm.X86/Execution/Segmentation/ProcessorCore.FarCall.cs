namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>CALL of a far pointer (SDM Vol. 2A CALL).</summary>
    internal Outcome FarCall(ushort selector, ulong offset, int size, ulong returnRip)
    {
        if (!UsesDescriptors)
        {
            StackCursor stack = CurrentStack();
            if (!CheckParagraphTarget(offset) || !PushReturn(ref stack, size, returnRip))
                return Stopped;
            CommitStackPointer(in stack);
            return CommitParagraph(selector, offset);
        }
        if (IsNull(selector))
            return RaiseGeneralProtection();
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out Descriptor descriptor))
            return Stopped;
        if (descriptor.IsCodeOrData)
            return CallSameLevel(selector, descriptor, offset, size, returnRip, false);
        return IsCallGate(in descriptor)
            ? CallThroughGate(selector, descriptor, returnRip)
            : TransferToTask(selector, descriptor, TaskSwitchKind.Nest, returnRip);
    }

    private bool PushReturn(ref StackCursor stack, int size, ulong returnRip) =>
        Reserve(ref stack, 2 * size)
        && Push(ref stack, State->Segments[SegmentIndex.Cs].Selector, size)
        && Push(ref stack, returnRip, size);

    private Outcome CallSameLevel(ushort selector, Descriptor code, ulong offset, int size, ulong returnRip, bool throughGate)
    {
        StackCursor stack = CurrentStack();
        if (!CheckSameLevelCode(selector, in code, throughGate) || !CheckTarget(in code, offset) || !MarkAccessed(ref code)
            || !PushReturn(ref stack, size, returnRip))
            return Stopped;
        CommitStackPointer(in stack);
        return CommitCode(in code, selector, State->Cpl, offset);
    }

    private Outcome CallThroughGate(ushort selector, Descriptor gate, ulong returnRip)
    {
        VcpuState* s = State;
        if (!OpenCallGate(selector, ref gate, out ushort target, out ulong offset)
            || !ReadDescriptor(target, ExceptionVector.GeneralProtection, out Descriptor code))
            return Stopped;
        if (!code.IsCode || code.Dpl > s->Cpl || (IsLongMode && (!code.Long || code.Big)))
            return RaiseSelector(ExceptionVector.GeneralProtection, target);
        if (!code.Present)
            return RaiseSelector(ExceptionVector.SegmentNotPresent, target);
        int size = IsLongMode ? 8 : gate.Type == SystemDescriptorType.CallGate32 ? 4 : 2;
        if (code.IsConforming || code.Dpl == s->Cpl)
            return CallSameLevel(target, code, offset, size, returnRip, true);
        return IsLongMode
            ? CallInnerLong(target, code, offset, returnRip)
            : CallInner(target, code, offset, size, gate.GateParameters, returnRip);
    }

    private Outcome CallInnerLong(ushort selector, Descriptor code, ulong offset, ulong returnRip)
    {
        VcpuState* s = State;
        uint level = code.Dpl;
        if (!ReadLongStack(4 + (8 * level), out ulong rsp))
            return Stopped;
        StackCursor stack = new() { Pointer = rsp, Mask = ulong.MaxValue, Flat = true, User = level == 3 };
        if (!CheckTarget(in code, offset) || !MarkAccessed(ref code) || !Reserve(ref stack, 32)
            || !Push(ref stack, s->Segments[SegmentIndex.Ss].Selector, 8) || !Push(ref stack, s->General[4], 8)
            || !Push(ref stack, s->Segments[SegmentIndex.Cs].Selector, 8) || !Push(ref stack, returnRip, 8))
            return Stopped;
        s->General[4] = stack.Pointer;
        s->Segments[SegmentIndex.Ss] = NullStack((ushort)level);
        return CommitCode(in code, selector, level, offset);
    }

    private Outcome CallInner(ushort selector, Descriptor code, ulong offset, int size, int parameters, ulong returnRip)
    {
        VcpuState* s = State;
        uint level = code.Dpl;
        if (!OpenInnerStack(level, out StackCursor stack, out Descriptor stackDescriptor, out ushort stackSelector))
            return Stopped;
        // Parameters are read before anything is written: first popped, last pushed.
        ulong* values = stackalloc ulong[31];
        StackCursor outer = CurrentStack();
        for (int i = 0; i < parameters; i++)
        {
            if (!Pop(ref outer, size, out values[i]))
                return Stopped;
        }
        if (!CheckTarget(in code, offset) || !MarkAccessed(ref code) || !MarkAccessed(ref stackDescriptor)
            || !Reserve(ref stack, (4 + parameters) * size)
            || !Push(ref stack, s->Segments[SegmentIndex.Ss].Selector, size) || !Push(ref stack, s->General[4], size))
            return Stopped;
        for (int i = parameters - 1; i >= 0; i--)
        {
            if (!Push(ref stack, values[i], size))
                return Stopped;
        }
        if (!Push(ref stack, s->Segments[SegmentIndex.Cs].Selector, size) || !Push(ref stack, returnRip, size))
            return Stopped;
        s->Segments[SegmentIndex.Ss] = stackDescriptor.ToSegment(stackSelector);
        CommitStackPointer(in stack);
        return CommitCode(in code, selector, level, offset);
    }
}
