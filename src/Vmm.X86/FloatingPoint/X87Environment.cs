namespace Vmm.X86.FloatingPoint;

/// <summary>
/// What an x87 operation reads and changes besides its operands: control word and status word, both in the hardware's layout (SDM Vol. 1
/// 8.1.3
/// and 8.1.5). Four bytes of state and two of bookkeeping; passed by reference, never allocated.
/// </summary>
public struct X87Environment
{
    /// <summary>C0, bit 8.</summary>
    public const ushort Condition0 = 1 << 8;

    /// <summary>C1, bit 9: rounded up, stack overflow, or a quotient bit.</summary>
    public const ushort Condition1 = 1 << 9;

    /// <summary>C2, bit 10: unordered, or reduction incomplete.</summary>
    public const ushort Condition2 = 1 << 10;

    /// <summary>C3, bit 14.</summary>
    public const ushort Condition3 = 1 << 14;

    private const ushort ErrorSummary = (1 << 7) | (1 << 15);
    private const ushort AllConditions = Condition0 | Condition1 | Condition2 | Condition3;

    /// <summary>Exception masks (bits 5:0), precision control (9:8), rounding control (11:10).</summary>
    public ushort ControlWord;

    /// <summary>Sticky exception flags, stack fault, error summary, condition codes, TOP, busy.</summary>
    public ushort StatusWord;

    /// <summary>What the operation since <see cref="Begin"/> raised, masked or not.</summary>
    public X87Exceptions Raised;

    /// <summary>An environment of these two words.</summary>
    public X87Environment(ushort controlWord, ushort statusWord)
    {
        ControlWord = controlWord;
        StatusWord = statusWord;
        Raised = X87Exceptions.None;
    }

    /// <summary>The rounding control.</summary>
    public readonly X87Rounding Rounding => (X87Rounding)((ControlWord >> 10) & 3);

    /// <summary>
    /// True when an unmasked invalid, denormal or zero-divide exception stops the instruction before it changes its destination, the stack
    /// pointer or a condition code (SDM Vol. 1 8.7).
    /// </summary>
    public readonly bool IsAbandoned =>
        ((int)Raised & ~ControlWord & (int)(X87Exceptions.Invalid | X87Exceptions.Denormal | X87Exceptions.ZeroDivide)) != 0;

    /// <summary>As <see cref="IsAbandoned"/> for a store to memory, which unmasked overflow and underflow stop as well.</summary>
    public readonly bool IsStoreAbandoned => ((int)Raised & ~ControlWord & 0x1F) != 0;

    /// <summary>Starts an instruction: nothing raised so far, C1 clear.</summary>
    public void Begin()
    {
        Raised = X87Exceptions.None;
        StatusWord &= unchecked((ushort)~Condition1);
    }

    /// <summary>Sets sticky flags, and the error summary and busy bits if one of them is unmasked.</summary>
    public void Raise(X87Exceptions exceptions)
    {
        Raised |= exceptions;
        StatusWord |= (ushort)exceptions;
        if (((int)exceptions & ~ControlWord & 0x3F) != 0)
            StatusWord |= ErrorSummary;
    }

    /// <summary>Raises a stack overflow (C1 set) or underflow (C1 clear).</summary>
    public void RaiseStackFault(bool overflow)
    {
        Raise(X87Exceptions.Invalid | X87Exceptions.StackFault);
        SetCondition1(overflow);
    }

    /// <summary>Whether all of these exceptions are masked.</summary>
    public readonly bool IsMasked(X87Exceptions exceptions) => ((int)exceptions & ~ControlWord) == 0;

    /// <summary>Sets or clears C1.</summary>
    public void SetCondition1(bool value)
    {
        StatusWord = (ushort)(value ? StatusWord | Condition1 : StatusWord & ~Condition1);
    }

    /// <summary>Replaces C0, C1, C2 and C3 by the given bits.</summary>
    public void SetConditions(ushort conditions)
    {
        StatusWord = (ushort)((StatusWord & ~AllConditions) | conditions);
    }

    /// <summary>Sets or clears C2, the "reduction incomplete" bit.</summary>
    public void SetCondition2(bool value)
    {
        StatusWord = (ushort)(value ? StatusWord | Condition2 : StatusWord & ~Condition2);
    }

    /// <summary>Recomputes error summary and busy after the control or status word was loaded.</summary>
    public void Refresh()
    {
        StatusWord = (ushort)((StatusWord & ~ErrorSummary) | ((StatusWord & ~ControlWord & 0x3F) != 0 ? ErrorSummary : 0));
    }

    internal Float80 Invalid()
    {
        Raise(X87Exceptions.Invalid);
        return Float80.Indefinite;
    }

    /// <summary>Raises #D if either operand is denormal; true when that stops the instruction.</summary>
    internal bool StopsOnDenormal(Float80 a, Float80 b) => (a.IsDenormal || b.IsDenormal) && StopsOnDenormal();

    internal bool StopsOnDenormal(Float80 a) => a.IsDenormal && StopsOnDenormal();

    private bool StopsOnDenormal()
    {
        Raise(X87Exceptions.Denormal);
        return !IsMasked(X87Exceptions.Denormal);
    }
}
