namespace Vmm;

/// <summary>Registers with one 64-bit value.</summary>
public enum Register
{
    /// <summary>RAX: accumulator.</summary>
    Rax,

    /// <summary>RCX: counter.</summary>
    Rcx,

    /// <summary>RDX: data.</summary>
    Rdx,

    /// <summary>RBX: base.</summary>
    Rbx,

    /// <summary>RSP: stack pointer.</summary>
    Rsp,

    /// <summary>RBP: frame pointer.</summary>
    Rbp,

    /// <summary>RSI: source of string instructions.</summary>
    Rsi,

    /// <summary>RDI: destination of string instructions.</summary>
    Rdi,

    /// <summary>R8, reached with a REX prefix.</summary>
    R8,

    /// <summary>R9, reached with a REX prefix.</summary>
    R9,

    /// <summary>R10, reached with a REX prefix.</summary>
    R10,

    /// <summary>R11, reached with a REX prefix.</summary>
    R11,

    /// <summary>R12, reached with a REX prefix.</summary>
    R12,

    /// <summary>R13, reached with a REX prefix.</summary>
    R13,

    /// <summary>R14, reached with a REX prefix.</summary>
    R14,

    /// <summary>R15, reached with a REX prefix.</summary>
    R15,

    /// <summary>RIP: instruction pointer, an offset in CS.</summary>
    Rip,

    /// <summary>RFLAGS (SDM Vol. 1 3.4.3).</summary>
    Rflags,

    /// <summary>CR0: mode and protection (SDM Vol. 3A 2.5).</summary>
    Cr0,

    /// <summary>CR2: linear address of the last page fault.</summary>
    Cr2,

    /// <summary>CR3: address of the paging structures.</summary>
    Cr3,

    /// <summary>CR4: extensions (SDM Vol. 3A 2.5).</summary>
    Cr4,

    /// <summary>CR8: task priority.</summary>
    Cr8,

    /// <summary>DR0: linear address of breakpoint 0.</summary>
    Dr0,

    /// <summary>DR1: linear address of breakpoint 1.</summary>
    Dr1,

    /// <summary>DR2: linear address of breakpoint 2.</summary>
    Dr2,

    /// <summary>DR3: linear address of breakpoint 3.</summary>
    Dr3,

    /// <summary>DR6: debug status.</summary>
    Dr6,

    /// <summary>DR7: debug control.</summary>
    Dr7,

    /// <summary>XCR0: state that XSAVE manages.</summary>
    Xcr0,

    /// <summary>EFER: extended features (SDM Vol. 3A 2.2.1).</summary>
    Efer,

    /// <summary>IA32_APIC_BASE: address and mode of the local APIC.</summary>
    ApicBase,
}
