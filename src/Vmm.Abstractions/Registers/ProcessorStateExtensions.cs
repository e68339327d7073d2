namespace Vmm;

/// <summary>Registers of a <see cref="ProcessorState"/> by name.</summary>
public static class ProcessorStateExtensions
{
    /// <summary>Reads a register of the state.</summary>
    public static ulong GetRegister(this in ProcessorState state, Register register) => register switch
    {
        Register.Rax => state.General.Rax,
        Register.Rcx => state.General.Rcx,
        Register.Rdx => state.General.Rdx,
        Register.Rbx => state.General.Rbx,
        Register.Rsp => state.General.Rsp,
        Register.Rbp => state.General.Rbp,
        Register.Rsi => state.General.Rsi,
        Register.Rdi => state.General.Rdi,
        Register.R8 => state.General.R8,
        Register.R9 => state.General.R9,
        Register.R10 => state.General.R10,
        Register.R11 => state.General.R11,
        Register.R12 => state.General.R12,
        Register.R13 => state.General.R13,
        Register.R14 => state.General.R14,
        Register.R15 => state.General.R15,
        Register.Rip => state.General.Rip,
        Register.Rflags => state.General.Rflags,
        Register.Cr0 => state.Control.Cr0,
        Register.Cr2 => state.Control.Cr2,
        Register.Cr3 => state.Control.Cr3,
        Register.Cr4 => state.Control.Cr4,
        Register.Cr8 => state.Control.Cr8,
        Register.Xcr0 => state.Control.Xcr0,
        Register.Efer => state.Control.Efer,
        Register.ApicBase => state.Control.ApicBase,
        Register.Dr0 => state.Debug.Dr0,
        Register.Dr1 => state.Debug.Dr1,
        Register.Dr2 => state.Debug.Dr2,
        Register.Dr3 => state.Debug.Dr3,
        Register.Dr6 => state.Debug.Dr6,
        Register.Dr7 => state.Debug.Dr7,
        _ => throw new ArgumentOutOfRangeException(nameof(register), register, "Unknown register."),
    };

    /// <summary>Writes a register of the state; values are not checked.</summary>
    public static void SetRegister(this ref ProcessorState state, Register register, ulong value)
    {
        ref ulong slot = ref Slot(ref state, register);
        slot = value;
    }

    /// <summary>The group that a register belongs to.</summary>
    public static RegisterGroups GroupOf(Register register) => register switch
    {
        >= Register.Rax and <= Register.Rflags => RegisterGroups.General,
        >= Register.Dr0 and <= Register.Dr7 => RegisterGroups.Debug,
        (>= Register.Cr0 and <= Register.Cr8) or (>= Register.Xcr0 and <= Register.ApicBase) => RegisterGroups.Control,
        _ => throw new ArgumentOutOfRangeException(nameof(register), register, "Unknown register."),
    };

    private static ref ulong Slot(ref ProcessorState state, Register register)
    {
        switch (register)
        {
            case Register.Rax: return ref state.General.Rax;
            case Register.Rcx: return ref state.General.Rcx;
            case Register.Rdx: return ref state.General.Rdx;
            case Register.Rbx: return ref state.General.Rbx;
            case Register.Rsp: return ref state.General.Rsp;
            case Register.Rbp: return ref state.General.Rbp;
            case Register.Rsi: return ref state.General.Rsi;
            case Register.Rdi: return ref state.General.Rdi;
            case Register.R8: return ref state.General.R8;
            case Register.R9: return ref state.General.R9;
            case Register.R10: return ref state.General.R10;
            case Register.R11: return ref state.General.R11;
            case Register.R12: return ref state.General.R12;
            case Register.R13: return ref state.General.R13;
            case Register.R14: return ref state.General.R14;
            case Register.R15: return ref state.General.R15;
            case Register.Rip: return ref state.General.Rip;
            case Register.Rflags: return ref state.General.Rflags;
            case Register.Cr0: return ref state.Control.Cr0;
            case Register.Cr2: return ref state.Control.Cr2;
            case Register.Cr3: return ref state.Control.Cr3;
            case Register.Cr4: return ref state.Control.Cr4;
            case Register.Cr8: return ref state.Control.Cr8;
            case Register.Xcr0: return ref state.Control.Xcr0;
            case Register.Efer: return ref state.Control.Efer;
            case Register.ApicBase: return ref state.Control.ApicBase;
            case Register.Dr0: return ref state.Debug.Dr0;
            case Register.Dr1: return ref state.Debug.Dr1;
            case Register.Dr2: return ref state.Debug.Dr2;
            case Register.Dr3: return ref state.Debug.Dr3;
            case Register.Dr6: return ref state.Debug.Dr6;
            case Register.Dr7: return ref state.Debug.Dr7;
            default: throw new ArgumentOutOfRangeException(nameof(register), register, "Unknown register.");
        }
    }
}
