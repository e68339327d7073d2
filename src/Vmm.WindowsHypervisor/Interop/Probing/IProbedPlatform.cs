namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>A backend whose platform can be asked directly, past the backend.</summary>
internal interface IProbedPlatform
{
    /// <summary>Makes the probe of the platform that the backend runs on.</summary>
    PlatformProbe CreateProbe();
}
