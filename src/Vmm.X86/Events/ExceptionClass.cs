namespace Vmm.X86.Execution;

/// <summary>How exceptions met while delivering another event combine (SDM Vol. 3A 6.15, tables 6-4 and 6-5).</summary>
public static class ExceptionClass
{
    private const uint Contributory = (1 << ExceptionVector.DivideError) | (1 << ExceptionVector.InvalidTss)
        | (1 << ExceptionVector.SegmentNotPresent)
        | (1 << ExceptionVector.StackFault) | (1 << ExceptionVector.GeneralProtection);

    private const uint Faults = Contributory | (1 << ExceptionVector.BoundRange) | (1 << ExceptionVector.InvalidOpcode)
        | (1 << ExceptionVector.DeviceNotAvailable) | (1 << ExceptionVector.PageFault) | (1 << ExceptionVector.FloatingPoint)
        | (1 << ExceptionVector.AlignmentCheck) | (1 << ExceptionVector.SimdFloatingPoint);

    private const uint WithErrorCode = (1 << ExceptionVector.DoubleFault) | (1 << ExceptionVector.InvalidTss)
        | (1 << ExceptionVector.SegmentNotPresent) | (1 << ExceptionVector.StackFault) | (1 << ExceptionVector.GeneralProtection)
        | (1 << ExceptionVector.PageFault) | (1 << ExceptionVector.AlignmentCheck);

    /// <summary>Whether a vector is a fault whose saved RFLAGS has RF set. #DB is not: that depends on its cause.</summary>
    public static bool IsFault(int vector) => vector < 32 && ((Faults >> vector) & 1) != 0;

    /// <summary>Whether an exception pushes an error code in protected and IA-32e mode.</summary>
    public static bool HasErrorCode(int vector) => vector < 32 && ((WithErrorCode >> vector) & 1) != 0;

    /// <summary>What a second exception makes of the delivery of a first one.</summary>
    /// <param name="first">The exception being delivered, or -1 for an interrupt or a software event.</param>
    /// <param name="second">The exception met.</param>
    public static ExceptionCombination Combine(int first, int second)
    {
        bool secondCounts = IsContributory(second) || second == ExceptionVector.PageFault;
        if (first == ExceptionVector.DoubleFault)
            return secondCounts ? ExceptionCombination.Shutdown : ExceptionCombination.Serial;
        bool doubles = first == ExceptionVector.PageFault ? secondCounts : IsContributory(first) && IsContributory(second);
        return doubles ? ExceptionCombination.DoubleFault : ExceptionCombination.Serial;
    }

    private static bool IsContributory(int vector) => vector is >= 0 and < 32 && ((Contributory >> vector) & 1) != 0;
}
