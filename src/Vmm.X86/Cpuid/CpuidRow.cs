namespace Vmm.X86;

/// <summary>What CPUID answers for one leaf, or one leaf and subleaf (SDM Vol. 2A, CPUID).</summary>
/// <param name="Leaf">EAX on entry.</param>
/// <param name="Subleaf">ECX on entry; null when the leaf does not look at it.</param>
/// <param name="Eax">EAX of the answer.</param>
/// <param name="Ebx">EBX of the answer.</param>
/// <param name="Ecx">ECX of the answer.</param>
/// <param name="Edx">EDX of the answer.</param>
public readonly record struct CpuidRow(uint Leaf, uint? Subleaf, uint Eax, uint Ebx, uint Ecx, uint Edx);
