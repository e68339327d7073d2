namespace Vmm;

/// <summary>A way in which a real hypervisor differs that a client may have to know.</summary>
/// <param name="Name">Stable name, kebab case.</param>
/// <param name="Description">What differs, in words.</param>
/// <remarks>
/// A conformance case that rests on what a quirk takes away is absent where the quirk is declared with <see cref="Evidence"/>. One that is
/// named as a <see cref="Capability"/> says why that capability is not declared. Equality is by name and description.
/// </remarks>
public sealed partial record Quirk(string Name, string Description)
{
    /// <summary>How this host showed it; empty for what is known of the platform's interface.</summary>
    public IReadOnlyList<QuirkEvidence> Evidence { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(Quirk? other) => other is not null && Name == other.Name && Description == other.Description;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Description);
}
