namespace Vmm.Differential.Cases;

/// <summary>What operand bytes are made to look like.</summary>
internal enum ValueKind
{
    /// <summary>Uniform bits.</summary>
    Random,

    /// <summary>Bytes at the edges of their ranges.</summary>
    Edges,

    /// <summary>Double-precision numbers near everything that is special.</summary>
    Double,

    /// <summary>Single-precision numbers likewise.</summary>
    Single,

    /// <summary>Half-precision numbers likewise.</summary>
    Half,
}
