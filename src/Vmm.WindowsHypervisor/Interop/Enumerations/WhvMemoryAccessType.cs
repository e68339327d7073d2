namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Kind of a memory access.</summary>
internal enum WhvMemoryAccessType : uint
{
    Read = 0,
    Write = 1,
    Execute = 2,
}
