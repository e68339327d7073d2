using System.Diagnostics;

namespace Vmm.Tool.Doctor;

/// <summary>What there is to say of one backend on this host.</summary>
/// <param name="Name">Short name.</param>
/// <param name="DisplayName">Full name.</param>
/// <param name="Result">Whether it works: its probe, then a real guest that ends in HLT.</param>
/// <param name="Capabilities">What it can do; null when it cannot be made.</param>
/// <param name="GuestTime">How long the guest took, making the backend included; null when none was tried.</param>
internal sealed record BackendDiagnosis(
    string Name, string DisplayName, ProbeResult Result, HypervisorCapabilities? Capabilities, TimeSpan? GuestTime)
{
    public static BackendDiagnosis Of(IHypervisorProvider provider)
    {
        ProbeResult result = provider.Probe();
        if (!result.IsAvailable)
            return new BackendDiagnosis(provider.Name, provider.DisplayName, result, null, null);
        Stopwatch watch = Stopwatch.StartNew();
        HypervisorCapabilities? capabilities = null;
        try
        {
            IHypervisor hypervisor = provider.Create(HypervisorOptions.Empty);
            capabilities = hypervisor.Capabilities;
            result = DeepProbe.Run(hypervisor);
        }
        catch (HypervisorUnavailableException e)
        {
            result = ProbeResult.Unavailable(e.Reason, e.Fix);
        }
        catch (HypervisorException e)
        {
            result = ProbeResult.Unavailable(e.Message.TrimEnd('.'), e.Hint?.TrimEnd('.'));
        }
        return new BackendDiagnosis(provider.Name, provider.DisplayName, result, capabilities, watch.Elapsed);
    }
}
