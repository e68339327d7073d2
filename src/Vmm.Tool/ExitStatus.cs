namespace Vmm.Tool;

/// <summary>Exit statuses; people and scripts rely on them.</summary>
internal static class ExitStatus
{
    /// <summary>Powered off or reset cleanly; a backend works; all cases passed.</summary>
    public const int Success = 0;

    /// <summary>Wrong usage or unreadable input; no case ran.</summary>
    public const int Usage = 2;

    /// <summary>Backend unavailable.</summary>
    public const int Unavailable = 4;

    /// <summary>Triple fault, or the processor failed.</summary>
    public const int GuestFailed = 6;

    /// <summary>Every processor halted with nothing able to wake it.</summary>
    public const int AllHalted = 8;

    /// <summary>Some cases failed.</summary>
    public const int CasesFailed = 10;

    /// <summary>A replay did other than was recorded, or one of two backends in lock-step other than the other.</summary>
    public const int Diverged = 10;

    /// <summary>A fault of ours.</summary>
    public const int Fault = 70;

    /// <summary>Time ran out.</summary>
    public const int Timeout = 124;

    /// <summary>Status of a debug exit: odd, so never a success by accident.</summary>
    public static int DebugExit(uint value) => (((int)value & 0x7F) << 1) | 1;
}
