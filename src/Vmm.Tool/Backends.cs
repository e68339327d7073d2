using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.Tool;

/// <summary>Backends as the command line names them.</summary>
internal static class Backends
{
    static Backends() => Hypervisors.Catalog.Add(new SimulatorProvider());

    /// <summary>All that the tool knows: those of the package, and the simulated Windows platform.</summary>
    public static HypervisorCatalog Catalog => Hypervisors.Catalog;

    /// <param name="text">The backend, with its options.</param>
    /// <param name="option">The option that named it.</param>
    /// <exception cref="UsageException">The name or an option is unknown.</exception>
    /// <exception cref="HypervisorUnavailableException">The backend cannot work here.</exception>
    public static IHypervisor Create(string text, string option = "--backend")
    {
        try
        {
            return Catalog.Create(HypervisorSelection.Parse(text), out _);
        }
        catch (Exception e) when (e is ArgumentException or UnknownHypervisorException)
        {
            throw new UsageException($"{option}: {e.Message}", e);
        }
    }

    /// <summary>The CPU profile that has the most of those that a backend declares; null where it declares none of ours.</summary>
    public static CpuProfile? FullestProfile(HypervisorCapabilities capabilities) =>
        CpuProfiles.All.LastOrDefault(profile => capabilities.CpuProfiles.Contains(profile.Name));
}
