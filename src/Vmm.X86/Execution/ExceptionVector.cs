namespace Vmm.X86.Execution;

/// <summary>Exception vectors (SDM Vol. 3A table 6-1).</summary>
public static class ExceptionVector
{
    /// <summary>#DE: division by zero, or a quotient that does not fit.</summary>
    public const int DivideError = 0;

    /// <summary>#DB: breakpoint of a debug register, or single step.</summary>
    public const int Debug = 1;

    /// <summary>NMI.</summary>
    public const int NonMaskableInterrupt = 2;

    /// <summary>#BP: INT3.</summary>
    public const int Breakpoint = 3;

    /// <summary>#OF: INTO with OF set.</summary>
    public const int Overflow = 4;

    /// <summary>#BR: BOUND found an index outside.</summary>
    public const int BoundRange = 5;

    /// <summary>#UD: no such instruction here.</summary>
    public const int InvalidOpcode = 6;

    /// <summary>#NM: no floating-point unit now.</summary>
    public const int DeviceNotAvailable = 7;

    /// <summary>#DF: a fault while a fault was delivered.</summary>
    public const int DoubleFault = 8;

    /// <summary>#TS: a task state segment, or what it names, is invalid.</summary>
    public const int InvalidTss = 10;

    /// <summary>#NP: a segment is not present.</summary>
    public const int SegmentNotPresent = 11;

    /// <summary>#SS: limit of, or load into, SS.</summary>
    public const int StackFault = 12;

    /// <summary>#GP: a rule of protection was broken.</summary>
    public const int GeneralProtection = 13;

    /// <summary>#PF: no translation, or no right to the page.</summary>
    public const int PageFault = 14;

    /// <summary>#MF: an unmasked x87 exception.</summary>
    public const int FloatingPoint = 16;

    /// <summary>#AC: an operand is not aligned.</summary>
    public const int AlignmentCheck = 17;

    /// <summary>#MC: the hardware found an error.</summary>
    public const int MachineCheck = 18;

    /// <summary>#XM: an unmasked SSE or AVX exception.</summary>
    public const int SimdFloatingPoint = 19;
}
