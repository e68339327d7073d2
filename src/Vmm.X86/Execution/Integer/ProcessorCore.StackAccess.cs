using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>Pushes 2, 4 or 8 bytes with every check and moves the stack pointer. False: stop, nothing changed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool StackPush(ulong value, int size)
    {
        ulong mask = StackMask;
        ulong pointer = (State->General[4] - (ulong)size) & mask;
        if (!Linear(SegmentIndex.Ss, pointer, size, true, out ulong linear) || !Operands.WriteSized(this, linear, size, value))
            return false;
        SetStackPointer(pointer, mask);
        return true;
    }

    /// <summary>Host address (or copy) of a stack slot some bytes above the top. Null: stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public byte* StackRead(int above, int size) =>
        Linear(SegmentIndex.Ss, (State->General[4] + (ulong)above) & StackMask, size, false, out ulong linear) ? ReadPointer(linear, size)
            : null;

    /// <summary>Moves the stack pointer up without an access.</summary>
    public void StackRelease(ulong bytes)
    {
        ulong mask = StackMask;
        SetStackPointer((State->General[4] + bytes) & mask, mask);
    }

    /// <summary>Writes the stack pointer: ESP clears the upper half of RSP, SP keeps the rest.</summary>
    /// <param name="pointer">The value, within the mask.</param>
    /// <param name="mask"><see cref="StackMask"/>.</param>
    public void SetStackPointer(ulong pointer, ulong mask) =>
        State->General[4] = mask == 0xFFFF ? (State->General[4] & ~0xFFFFUL) | pointer : pointer;

    /// <summary>Host address (or copy) of stack memory at an offset that the stack's width wraps. Null: stop.</summary>
    internal byte* StackReadAt(ulong offset, int size) =>
        Linear(SegmentIndex.Ss, offset & StackMask, size, false, out ulong linear) ? ReadPointer(linear, size) : null;

    /// <summary>Whether the top of the stack could be written. False: stop.</summary>
    internal bool StackProbe(int size) =>
        Linear(SegmentIndex.Ss, State->General[4] & StackMask, size, true, out ulong linear) && ProbeWrite(linear, size);

    /// <summary>Sets the stack pointer, as wide as the stack is.</summary>
    internal void StackMoveTo(ulong pointer)
    {
        ulong mask = StackMask;
        SetStackPointer(pointer & mask, mask);
    }
}
