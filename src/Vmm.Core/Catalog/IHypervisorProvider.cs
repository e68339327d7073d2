namespace Vmm;

/// <summary>
/// Probes for a backend and makes it. It exists whether or not the backend works on this host; making it must be cheap and load nothing of
/// the platform.
/// </summary>
/// <remarks>All members may be called from any thread.</remarks>
public interface IHypervisorProvider
{
    /// <summary>Short stable name, lower case: that of <see cref="IHypervisor.Name"/>.</summary>
    string Name { get; }

    /// <summary>Full name for people.</summary>
    string DisplayName { get; }

    /// <summary>Whether automatic choice may take it. False for a backend that must be chosen by name, such as a simulator.</summary>
    bool IsAutomatic => true;

    /// <summary>
    /// Checks whether automatic choice should take it: as <see cref="Probe"/>, but a backend that would only get in the way of a better one
    /// on this host may say so here. Does not throw.
    /// </summary>
    ProbeResult ProbeAutomatic() => IsAutomatic ? Probe() : ProbeResult.Unavailable("it is chosen by name only");

    /// <summary>Keys that <see cref="Create"/> understands. The catalogue refuses others before it calls.</summary>
    IReadOnlyCollection<string> OptionKeys { get; }

    /// <summary>
    /// Checks whether the backend can work here, without side effects. Does not throw: what goes wrong becomes the reason.
    /// </summary>
    ProbeResult Probe();

    /// <summary>Makes the backend.</summary>
    /// <param name="options">Options; their keys are among <see cref="OptionKeys"/>.</param>
    /// <exception cref="ArgumentException">A key does not take its value; the message says what it takes.</exception>
    /// <exception cref="HypervisorUnavailableException">It cannot work here.</exception>
    IHypervisor Create(HypervisorOptions options);
}
