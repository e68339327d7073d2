namespace Vmm.WindowsHypervisor.Interop;

/// <summary>How the destination of an interrupt request is read.</summary>
internal enum WhvInterruptDestinationMode : uint
{
    Physical = 0,
    Logical = 1,
}
