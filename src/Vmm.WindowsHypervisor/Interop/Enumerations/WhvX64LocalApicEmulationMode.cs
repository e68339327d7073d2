namespace Vmm.WindowsHypervisor.Interop;

/// <summary>The local APICs that the platform provides.</summary>
internal enum WhvX64LocalApicEmulationMode : uint
{
    None = 0,
    XApic = 1,
    X2Apic = 2,
}
