using System.Collections.Immutable;

namespace Vmm;

/// <summary>The values of one state element.</summary>
/// <param name="Id">Id of the <see cref="StateElement"/>.</param>
/// <param name="Version">Its version when the values were taken.</param>
/// <param name="Fields">The values, in the element's order.</param>
public sealed record ElementState(string Id, int Version, ImmutableArray<StateField> Fields);
