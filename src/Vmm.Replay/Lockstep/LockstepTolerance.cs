namespace Vmm.Replay;

/// <summary>A difference between two backends that is known, and is no fault of either.</summary>
/// <param name="Name">Name, kebab case: of a declared <see cref="Quirk"/> where it is one.</param>
/// <param name="Description">What differs, in words.</param>
/// <param name="Element">Id of the <see cref="StateElement"/>.</param>
/// <param name="Field">Name of the value; null = all of the element.</param>
/// <param name="Mask">Bits that may differ; null = all.</param>
public sealed record LockstepTolerance(string Name, string Description, string Element, string? Field = null, UInt128? Mask = null)
{
    /// <summary>Whether a difference is only what is known.</summary>
    public bool Covers(StateDifference difference)
    {
        ArgumentNullException.ThrowIfNull(difference);
        return difference.Element == Element && (Field is null || difference.Field == Field)
            && (Mask is not { } mask || (((difference.Expected ?? 0) ^ (difference.Actual ?? 0)) & ~mask) == 0);
    }
}
