namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What a CPUID answer is specific to.</summary>
[Flags]
internal enum WhvX64CpuidResult2Flags : uint
{
    SubleafSpecific = 1,
    VpSpecific = 2,
}
