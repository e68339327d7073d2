namespace Vmm;

/// <summary>A value that differs between two snapshots.</summary>
/// <param name="Element">Id of the element.</param>
/// <param name="Field">Name of the value.</param>
/// <param name="Expected">The first snapshot's; null where it has no such value.</param>
/// <param name="Actual">The second snapshot's; null where it has no such value.</param>
public sealed record StateDifference(string Element, string Field, UInt128? Expected, UInt128? Actual)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Element}.{Field}: expected {Print(Expected)}, found {Print(Actual)}";

    private static string Print(UInt128? value) => value is { } number ? $"0x{number:X}" : "nothing";
}
