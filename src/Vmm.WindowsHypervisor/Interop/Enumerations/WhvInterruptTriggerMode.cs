namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Edge or level.</summary>
internal enum WhvInterruptTriggerMode : uint
{
    Edge = 0,
    Level = 1,
}
