namespace Vmm.Tool;

/// <summary>Backends as the command line names them.</summary>
internal static class Backends
{
    /// <exception cref="UsageException">The name or an option is unknown.</exception>
    /// <exception cref="HypervisorUnavailableException">The backend cannot work here.</exception>
    public static IHypervisor Create(string text)
    {
        try
        {
            return Hypervisors.Catalog.Create(HypervisorSelection.Parse(text), out _);
        }
        catch (Exception e) when (e is ArgumentException or UnknownHypervisorException)
        {
            throw new UsageException($"--backend: {e.Message}", e);
        }
    }
}
