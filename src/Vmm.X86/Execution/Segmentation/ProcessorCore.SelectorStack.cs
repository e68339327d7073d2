namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// PUSH of a segment register. A 32-bit push writes only the selector's 16 bits, as recent processors do (SDM Vol. 2B PUSH).
    /// </summary>
    internal Outcome PushSelector(int segment, int size)
    {
        StackCursor stack = CurrentStack();
        ulong offset = (stack.Pointer - (ulong)size) & stack.Mask;
        ushort selector = State->Segments[segment].Selector;
        if (!StackLinear(in stack, offset, size, out ulong linear)
            || !(size == 8 ? Write(linear, (ulong)selector) : Write(linear, selector)))
            return Stopped;
        stack.Pointer = (stack.Pointer & ~stack.Mask) | offset;
        CommitStackPointer(in stack);
        return Outcome.Next;
    }

    /// <summary>POP of a segment register: the stack pointer moves by the old stack's rules. False: stopped.</summary>
    internal bool PopSelector(int segment, int size)
    {
        StackCursor stack = CurrentStack();
        if (!Pop(ref stack, size, out ulong selector) || !LoadSegment(segment, (ushort)selector))
            return false;
        CommitStackPointer(in stack);
        return true;
    }
}
