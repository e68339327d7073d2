namespace Vmm;

#pragma warning disable CS1591 // the names are the architecture's

/// <summary>The general registers, RIP and RFLAGS.</summary>
public record struct GeneralRegisters
{
    public ulong Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15, Rip, Rflags;
}
