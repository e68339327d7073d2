namespace Vmm.Replay;

/// <summary>Differences between real backends that are known, by name.</summary>
public static class LockstepTolerances
{
    /// <summary>Where level 3 runs natively without the processor's help for virtual machines, IOPL reads as 0 there.</summary>
    public static LockstepTolerance UserPrivilegeLevel { get; } = new(
        "user-iopl", "IOPL reads as 0 at level 3 where the kernel runs it natively without VT-x or SVM.", StateElements.General.Id, nameof(Register.Rflags), 0x3000);

    /// <summary>
    /// RF is set or clear after what leaves it to the processor, such as an interrupted string instruction, and is lost by a kernel that
    /// carries out IRET itself.
    /// </summary>
    public static LockstepTolerance ResumeFlag { get; } = new(
        "resume-flag", "RF differs while a string instruction is unfinished, and after IRET carried out by the kernel.", StateElements.General.Id, nameof(Register.Rflags), 0x1_0000);

    /// <summary>AMD's processors keep the x87 unit's last instruction only when it faulted.</summary>
    public static IReadOnlyList<LockstepTolerance> FloatPointers { get; } =
    [
        new("x87-pointers", "AMD's processors keep the x87 instruction pointer only at an exception.", StateElements.Xsave.Id, "Fip"),
        new("x87-pointers", "AMD's processors keep the x87 data pointer only at an exception.", StateElements.Xsave.Id, "Fdp"),
        new("x87-pointers", "AMD's processors keep the x87 opcode only at an exception.", StateElements.Xsave.Id, "Fop"),
    ];

    /// <summary>All of them: for a comparison of the emulator with a real backend.</summary>
    public static IReadOnlyList<LockstepTolerance> All { get; } = [UserPrivilegeLevel, ResumeFlag, .. FloatPointers];
}
