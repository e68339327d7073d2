namespace Vmm.Conformance.SelfTests;

/// <summary>Tests that run the emulator, one after the other: which way it is broken holds for the whole process.</summary>
[CollectionDefinition(Name)]
public sealed class EmulatorCollection
{
    public const string Name = "emulator";
}
