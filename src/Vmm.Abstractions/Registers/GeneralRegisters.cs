namespace Vmm;

/// <summary>The general registers, RIP and RFLAGS.</summary>
public record struct GeneralRegisters
{
    /// <summary>RAX: accumulator.</summary>
    public ulong Rax;

    /// <summary>RCX: counter.</summary>
    public ulong Rcx;

    /// <summary>RDX: data.</summary>
    public ulong Rdx;

    /// <summary>RBX: base.</summary>
    public ulong Rbx;

    /// <summary>RSP: stack pointer.</summary>
    public ulong Rsp;

    /// <summary>RBP: frame pointer.</summary>
    public ulong Rbp;

    /// <summary>RSI: source of string instructions.</summary>
    public ulong Rsi;

    /// <summary>RDI: destination of string instructions.</summary>
    public ulong Rdi;

    /// <summary>R8, reached with a REX prefix.</summary>
    public ulong R8;

    /// <summary>R9, reached with a REX prefix.</summary>
    public ulong R9;

    /// <summary>R10, reached with a REX prefix.</summary>
    public ulong R10;

    /// <summary>R11, reached with a REX prefix.</summary>
    public ulong R11;

    /// <summary>R12, reached with a REX prefix.</summary>
    public ulong R12;

    /// <summary>R13, reached with a REX prefix.</summary>
    public ulong R13;

    /// <summary>R14, reached with a REX prefix.</summary>
    public ulong R14;

    /// <summary>R15, reached with a REX prefix.</summary>
    public ulong R15;

    /// <summary>RIP: instruction pointer, an offset in CS.</summary>
    public ulong Rip;

    /// <summary>RFLAGS (SDM Vol. 1 3.4.3).</summary>
    public ulong Rflags;
}
