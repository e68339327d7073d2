namespace Vmm;

/// <summary>A way to a backend, whether it works on this host or not. Making one must be cheap and load nothing of the platform.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public interface IHypervisorProvider
{
    /// <summary>Short stable name, lower case: that of <see cref="IHypervisor.Name"/>.</summary>
    string Name { get; }

    /// <summary>Full name for people.</summary>
    string DisplayName { get; }

    /// <summary>Whether automatic choice may take it. False for what is there to be asked for by name, such as a simulator.</summary>
    bool IsAutomatic => true;

    /// <summary>
    /// Looks whether automatic choice shall take it: as <see cref="Probe"/>, but a backend that would only get in the way of a better one on this host may say so
    /// here. Does not throw.
    /// </summary>
    ProbeResult ProbeAutomatic() => IsAutomatic ? Probe() : ProbeResult.Unavailable("it is chosen by name only");

    /// <summary>Keys that <see cref="Create"/> understands. The catalogue refuses others before it calls.</summary>
    IReadOnlyCollection<string> OptionKeys { get; }

    /// <summary>Looks whether the backend can work here, without side effects. Does not throw: what goes wrong is the reason.</summary>
    ProbeResult Probe();

    /// <summary>Makes the backend.</summary>
    /// <param name="options">Options; their keys are among <see cref="OptionKeys"/>.</param>
    /// <exception cref="ArgumentException">A value is none that the key takes; the message says which are.</exception>
    /// <exception cref="HypervisorUnavailableException">It cannot work here.</exception>
    IHypervisor Create(HypervisorOptions options);
}
