namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Delivery mode of an interrupt request.</summary>
internal enum WhvInterruptType : uint
{
    Fixed = 0,
    LowestPriority = 1,
    Nmi = 4,
    Init = 5,
    Sipi = 6,
    LocalInt1 = 9,
}
