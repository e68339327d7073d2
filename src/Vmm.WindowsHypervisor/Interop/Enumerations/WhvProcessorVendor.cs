namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Maker of the host processor.</summary>
internal enum WhvProcessorVendor : uint
{
    Amd = 0,
    Intel = 1,
    Hygon = 2,
    Arm = 0x10,
}
