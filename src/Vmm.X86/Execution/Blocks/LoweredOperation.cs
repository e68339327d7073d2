namespace Vmm.X86.Execution;

/// <summary>One operation while its block is being made.</summary>
internal struct LoweredOperation
{
    public DecodedOperation Operation;

    /// <summary>The same handler without flags, or 0.</summary>
    public nint QuietHandler;

    /// <summary>Arithmetic flags it needs from before.</summary>
    public FlagUse Reads;

    /// <summary>Arithmetic flags it always overwrites.</summary>
    public FlagUse Writes;

    /// <summary>Arithmetic flags that it may write besides.</summary>
    public FlagUse MayWrite;

    /// <summary>It may stop or leave the block before it is done, so that every flag must be right before it.</summary>
    public bool Leaves;

    /// <summary>It may leave the block once done, so that every flag must be right after it.</summary>
    public bool Branches;

    /// <summary>A branch behind it may be fused with it.</summary>
    public FusibleOperation Fuse;

    /// <summary>
    /// It is a move between registers of so many bytes (4 or 8): an operation on its destination behind it may take its place.
    /// </summary>
    public byte MoveWidth;

    /// <summary>Operand bytes of what may be fused.</summary>
    public byte FuseWidth;

    /// <summary>The second operand is an immediate.</summary>
    public bool FuseImmediate;
}

/// <summary>The arithmetic flags, in the two groups that liveness tells apart.</summary>
[Flags]
internal enum FlagUse : byte
{
    None = 0,

    /// <summary>CF.</summary>
    Carry = 1,

    /// <summary>PF, AF, ZF, SF, OF.</summary>
    Others = 2,

    /// <summary>All six.</summary>
    All = 3,
}

/// <summary>Register operations that a conditional branch can be fused with.</summary>
internal enum FusibleOperation : byte
{
    None,
    Compare,
    Subtract,
    Test,
    And,
    Decrement,
    Increment,
    Add,
}
