using Vmm.Differential.Cases;

namespace Vmm.Differential.Comparison;

/// <summary>A case on which the two disagree.</summary>
internal sealed record Difference(TestCase Test, string Text, string Reproduction);
