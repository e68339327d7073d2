namespace Vmm.X86;

/// <summary>The four registers that CPUID returns.</summary>
public record struct CpuidAnswer(uint Eax, uint Ebx, uint Ecx, uint Edx);
