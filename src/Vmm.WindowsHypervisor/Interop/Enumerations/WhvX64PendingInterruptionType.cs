namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Kind of an event that the next entry delivers.</summary>
internal enum WhvX64PendingInterruptionType : uint
{
    Interrupt = 0,
    Nmi = 2,
    Exception = 3,
}
