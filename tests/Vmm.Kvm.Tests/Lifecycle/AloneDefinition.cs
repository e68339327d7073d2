namespace Vmm.Kvm.Tests.Lifecycle;

/// <summary>Tests that count what the process has: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneDefinition
{
    public const string Name = "alone";
}
