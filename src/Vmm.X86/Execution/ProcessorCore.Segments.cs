using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// From segment and offset to a linear address, with the checks of the mode (SDM Vol. 3A 5.3): canonical form in 64-bit code, else
    /// presence,
    /// type and limit. False: #GP(0) or #SS(0) recorded.
    /// </summary>
    public bool Linear(int segment, ulong offset, int size, bool write, out ulong linear)
    {
        ref SegmentRegister register = ref State->Segments[segment];
        if (Is64Bit)
        {
            linear = offset + (segment >= SegmentIndex.Fs ? register.Base : 0);
            if (IsCanonical(linear) && IsCanonical(linear + (ulong)size - 1))
                return true;
        }
        else
        {
            linear = (uint)(register.Base + offset);
            if ((State->Mode & ExecutionMode.Flat) != 0 && segment < SegmentIndex.Fs && (segment != SegmentIndex.Cs || !write))
                return true;
            if (SegmentAllows(ref register, (uint)offset, size, write))
                return true;
        }
        Raise(segment == SegmentIndex.Ss ? ExceptionVector.StackFault : ExceptionVector.GeneralProtection, 0);
        return false;
    }

    /// <summary>Whether an access passes the checks of a segment, outside of 64-bit code. Records nothing.</summary>
    internal bool LinearAllowed(int segment, ulong offset, int size, bool write)
    {
        if ((State->Mode & ExecutionMode.Flat) != 0 && segment < SegmentIndex.Fs && (segment != SegmentIndex.Cs || !write))
            return true;
        return SegmentAllows(ref State->Segments[segment], (uint)offset, size, write);
    }

    private bool SegmentAllows(ref SegmentRegister segment, uint offset, int size, bool write)
    {
        bool checkRights = (State->Mode & (ExecutionMode.Protected | ExecutionMode.Virtual8086)) == ExecutionMode.Protected;
        if (checkRights)
        {
            if (segment.Unusable)
                return false;
            bool code = (segment.Type & 8) != 0;
            if (write ? code || (segment.Type & 2) == 0 : code && (segment.Type & 2) == 0)
                return false;
        }
        ulong last = (ulong)offset + (ulong)size - 1;
        if (checkRights && (segment.Type & 12) == 4)
            return offset > segment.Limit && last <= (segment.Big ? uint.MaxValue : 0xFFFF); // expand-down
        return last <= segment.Limit;
    }

    private int _canonicalShift = 16;

    /// <summary>
    /// Bits 63 to 47 are all equal; in 5-level paging, bits 63 to 56 (SDM Vol. 1 3.3.7.1). For what is accessed, executed or returned to.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsCanonical(ulong linear) => (ulong)((long)(linear << _canonicalShift) >> _canonicalShift) == linear;

    /// <summary>
    /// The same for the widest linear address that the processor has, whatever the paging mode: for bases and addresses that registers
    /// hold.
    /// </summary>
    public bool IsCanonicalBase(ulong linear) => Model.IsCanonicalBase(linear);
}
