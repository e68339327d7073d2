namespace Vmm;

/// <summary>One value of a state element.</summary>
/// <param name="Name">Name, unique in its element: a register, or a part of one such as <c>Cs.Base</c>.</param>
/// <param name="Value">The value; shorter ones are zero-extended.</param>
public readonly record struct StateField(string Name, UInt128 Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} = 0x{Value:X}";
}
