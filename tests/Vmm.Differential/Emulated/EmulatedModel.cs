using System.Runtime.Intrinsics.X86;
using Vmm.X86;

namespace Vmm.Differential.Emulated;

/// <summary>The fullest CPU profile whose instructions the host has, as the engine looks it up.</summary>
internal static class EmulatedModel
{
    // Bits of CPUID that stand for instructions of user code: leaf, subleaf, register (EAX to EDX), bits.
    private static readonly (uint Leaf, uint Subleaf, int Register, uint Bits)[] s_instructions =
    [
        (1, 0, 2, 0x36D8_3203), // SSE3 to F16C
        (7, 0, 1, 0x0000_0128), // BMI1, AVX2, BMI2
        (0xD, 1, 0, 0x0000_0007), // XSAVEOPT, XSAVEC, XGETBV with ECX = 1
        (0x8000_0001, 0, 2, 0x0000_0021), // LAHF, LZCNT
    ];

    public static CpuProfile Profile { get; } = CpuProfiles.All.Last(profile => profile == CpuProfiles.V1 || HostHas(Make(profile)));

    public static CpuidModel Model { get; } = Make(Profile);

    private static CpuidModel Make(CpuProfile profile) => new(profile.Leaves.Select(leaf =>
        new CpuidRow(leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx, leaf.Value.Ecx, leaf.Value.Edx)));

    private static bool HostHas(CpuidModel model) => !X86Base.IsSupported || s_instructions.All(feature =>
    {
        CpuidAnswer answer = model.Query(feature.Leaf, feature.Subleaf, new CpuidDynamics(0, true, 0, 0, 0));
        uint wanted = (feature.Register switch { 0 => answer.Eax, 1 => answer.Ebx, 2 => answer.Ecx, _ => answer.Edx }) & feature.Bits;
        (int a, int b, int c, int d) = X86Base.CpuId((int)feature.Leaf, (int)feature.Subleaf);
        uint present = (uint)(feature.Register switch { 0 => a, 1 => b, 2 => c, _ => d });
        return (wanted & ~present) == 0;
    });
}
