using Vmm.X86;

namespace Vmm.Differential.Emulated;

/// <summary>The fullest CPU profile there is, as the engine looks it up.</summary>
internal static class EmulatedModel
{
    public static CpuProfile Profile { get; } = CpuProfiles.All[^1];

    public static CpuidModel Model { get; } = new(Profile.Leaves.Select(leaf =>
        new CpuidRow(leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx, leaf.Value.Ecx, leaf.Value.Edx)));
}
