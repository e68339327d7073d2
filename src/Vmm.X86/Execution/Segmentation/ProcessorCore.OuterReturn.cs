namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// Checks the code segment that RETF or IRET goes back to (SDM Vol. 2A IRET). False: #GP or #NP with its selector, or stopped.
    /// </summary>
    private bool ReadReturnCode(ushort selector, out Descriptor code)
    {
        code = default;
        if (IsNull(selector))
            return FailNull(ExceptionVector.GeneralProtection);
        if (!ReadDescriptor(selector, ExceptionVector.GeneralProtection, out code))
            return false;
        uint level = selector & 3U;
        bool allowed = code.IsCode && level >= State->Cpl && (code.IsConforming ? code.Dpl <= level : code.Dpl == level)
            && !(IsLongMode && code.Long && code.Big);
        if (!allowed)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        return code.Present || FailSelector(ExceptionVector.SegmentNotPresent, selector);
    }

    /// <summary>
    /// Checks the stack segment that comes with a return to <paramref name="level"/>; a null one is allowed for 64-bit code above ring 3.
    /// False: #GP or #SS with its selector, or stopped.
    /// </summary>
    private bool ReadReturnStack(ushort selector, uint level, bool longCode, out SegmentRegister stack)
    {
        stack = default;
        if (IsNull(selector))
        {
            if (!longCode || level == 3 || (selector & 3U) != level)
                return FailNull(ExceptionVector.GeneralProtection);
            stack = NullStack(selector);
            return true;
        }
        if (!ReadStackDescriptor(selector, level, ExceptionVector.GeneralProtection, out Descriptor descriptor)
            || !MarkAccessed(ref descriptor))
            return false;
        stack = descriptor.ToSegment(selector);
        return true;
    }

    /// <summary>Commits SS and the stack pointer after a return; a 16-bit stack takes SP only.</summary>
    private void CommitReturnStack(in SegmentRegister stack, ulong pointer, bool longCode)
    {
        VcpuState* s = State;
        s->Segments[SegmentIndex.Ss] = stack;
        ulong* rsp = VcpuState.GeneralRegister(s, 4);
        if (longCode)
            *rsp = pointer;
        else if (stack.Big)
            *rsp = (uint)pointer;
        else
            *rsp = (*rsp & ~0xFFFFUL) | (ushort)pointer;
    }

    /// <summary>After a return to an outer level: data segments that it may not use become null (SDM Vol. 3A 5.8.6).</summary>
    private void DropInnerSegments(uint level)
    {
        ref SegmentArray segments = ref State->Segments;
        foreach (int index in (ReadOnlySpan<int>)[SegmentIndex.Es, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
        {
            ref SegmentRegister segment = ref segments[index];
            bool conforming = (segment.Type & 12) == 12;
            if (!segment.Unusable && !conforming && segment.Dpl < level)
                segment = NullSegment(0);
        }
    }
}
