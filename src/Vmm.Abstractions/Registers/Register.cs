namespace Vmm;

#pragma warning disable CS1591 // the names are the architecture's

/// <summary>Registers with one 64-bit value.</summary>
public enum Register
{
    Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15,

    Rip, Rflags,

    Cr0, Cr2, Cr3, Cr4, Cr8,

    Dr0, Dr1, Dr2, Dr3, Dr6, Dr7,

    Xcr0, Efer, ApicBase,
}
