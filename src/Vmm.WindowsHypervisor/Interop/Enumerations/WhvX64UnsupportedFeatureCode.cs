namespace Vmm.WindowsHypervisor.Interop;

/// <summary>What the platform does not do.</summary>
internal enum WhvX64UnsupportedFeatureCode : uint
{
    Intercept = 1,
    TaskSwitchTss = 2,
}
