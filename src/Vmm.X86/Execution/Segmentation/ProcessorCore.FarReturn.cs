namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>RETF by the size popped, then <paramref name="parameterBytes"/> released (SDM Vol. 2B RET).</summary>
    internal Outcome FarReturn(int size, int parameterBytes)
    {
        VcpuState* s = State;
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out ulong rip) || !Pop(ref stack, size, out ulong popped))
            return Stopped;
        ushort selector = (ushort)popped;
        Release(ref stack, parameterBytes);
        if (!UsesDescriptors)
        {
            if (!CheckParagraphTarget(rip))
                return Stopped;
            CommitStackPointer(in stack);
            return CommitParagraph(selector, rip);
        }
        if (!ReadReturnCode(selector, out Descriptor code))
            return Stopped;
        uint level = selector & 3U;
        bool longCode = IsLongMode && code.Long;
        if (level == s->Cpl)
        {
            if (!CheckTarget(in code, rip) || !MarkAccessed(ref code))
                return Stopped;
            CommitStackPointer(in stack);
            return CommitCode(in code, selector, level, rip);
        }
        if (!Pop(ref stack, size, out ulong pointer) || !Pop(ref stack, size, out popped)
            || !ReadReturnStack((ushort)popped, level, longCode, out SegmentRegister newStack)
            || !CheckTarget(in code, rip) || !MarkAccessed(ref code))
            return Stopped;
        CommitReturnStack(in newStack, pointer + (ulong)parameterBytes, longCode);
        CommitCode(in code, selector, level, rip);
        DropInnerSegments(level);
        UpdateMode();
        return Outcome.Branch;
    }
}
