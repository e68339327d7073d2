namespace Vmm.Kvm.Probes;

internal static partial class ProbeCatalog
{
    // OSXSAVE follows CR4; x2APIC, the TSC deadline and the APIC bit go with the local APIC.
    private const uint DynamicLeaf1Ecx = (1U << 27) | (1U << 24) | (1U << 21), DynamicLeaf1Edx = 1U << 9;

    private static LimitProbe[] Cpuid =>
    [
        // mov eax, leaf; xor ecx, ecx; cpuid; mov eax, register; and eax, not dynamic; out 0xFD, eax
        Leaf("CPUID leaf 1, ECX", 1, 0xC8, ~DynamicLeaf1Ecx, value => value.Ecx),
        Leaf("CPUID leaf 1, EDX", 1, 0xD0, ~DynamicLeaf1Edx, value => value.Edx),
        Leaf("CPUID leaf 7, EBX", 7, 0xD8, ~0U, value => value.Ebx),
        Leaf("CPUID leaf 80000001, EDX", 0x8000_0001, 0xD0, ~0U, value => value.Edx),
        Leaf("CPUID leaf 1, ECX, level 3", 1, 0xC8, ~DynamicLeaf1Ecx, value => value.Ecx) with { Mode = ProbeMode.LongUser },
    ];

    private static LimitProbe Leaf(string name, uint leaf, byte register, uint mask, Func<CpuidResult, uint> select) => new()
    {
        Quirk = Quirk.CpuidUnmasked, Name = $"{name} is that of profile v1", Mode = ProbeMode.Long, Profile = CpuProfiles.V1,
        Code =
        [
            0xB8, .. BitConverter.GetBytes(leaf), 0x31, 0xC9, 0x0F, 0xA2, 0x89, register, 0x25, .. BitConverter.GetBytes(mask), 0xE7, 0xFD,
        ],
        Expected = ProbeEnd.Answer(select(CpuProfiles.V1.Find(leaf, 0)?.Value ?? default) & mask),
    };
}
