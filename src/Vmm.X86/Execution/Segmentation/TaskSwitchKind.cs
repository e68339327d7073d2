namespace Vmm.X86.Execution;

/// <summary>What makes a task switch (SDM Vol. 3A 8.3): decides busy flags, the link and NT.</summary>
internal enum TaskSwitchKind
{
    /// <summary>JMP: the old task is left for good.</summary>
    Jump,

    /// <summary>CALL, interrupt or exception: the new task is nested in the old one.</summary>
    Nest,

    /// <summary>IRET with NT: back to the task that nested this one.</summary>
    Return,
}
