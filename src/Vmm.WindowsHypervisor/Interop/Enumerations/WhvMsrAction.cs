namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What an access to a model-specific register does.</summary>
internal enum WhvMsrAction : uint
{
    ArchitectureDefault = 0,
    IgnoreWriteReadZero = 1,
    Exit = 2,
}
