namespace Vmm;

/// <summary>The backends that a program knows, in order of preference. Nothing is searched for: each is added.</summary>
/// <remarks>Add backends from one thread; after that all members may be called from any thread.</remarks>
public sealed class HypervisorCatalog
{
    private readonly List<IHypervisorProvider> _providers = [];

    /// <summary>The backends, by preference.</summary>
    public IReadOnlyList<IHypervisorProvider> Providers => _providers.AsReadOnly();

    /// <summary>Adds a backend after those already added.</summary>
    /// <returns>This catalogue.</returns>
    /// <exception cref="ArgumentException">Its name is taken, or is <c>auto</c>.</exception>
    public HypervisorCatalog Add(IHypervisorProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        if (string.Equals(provider.Name, HypervisorSelection.AutomaticName, StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException("No backend may be called 'auto'.", nameof(provider));
        if (Find(provider.Name) is { } other)
            throw new ArgumentException($"The name '{provider.Name}' is taken by {other.DisplayName}.", nameof(provider));
        _providers.Add(provider);
        return this;
    }

    /// <summary>Makes the first backend that is available, skipping the others.</summary>
    /// <param name="report">What was skipped and why.</param>
    /// <param name="deep">A backend counts as available only when it has really run a guest.</param>
    /// <exception cref="HypervisorUnavailableException">None is available; the message gives each reason.</exception>
    public IHypervisor CreateBest(out HypervisorReport report, bool deep = false)
    {
        List<HypervisorReportEntry> entries = [];
        foreach (IHypervisorProvider provider in _providers)
        {
            ProbeResult result = Probe(provider.ProbeAutomatic);
            if (result.IsAvailable)
            {
                try
                {
                    IHypervisor hypervisor = provider.Create(HypervisorOptions.Empty);
                    if (deep)
                        result = DeepProbe.Run(hypervisor);
                    if (!result.IsAvailable)
                    {
                        entries.Add(new(provider.Name, provider.DisplayName, result, false));
                        continue;
                    }
                    entries.Add(new(provider.Name, provider.DisplayName, result, true));
                    report = new(entries);
                    return hypervisor;
                }
                catch (HypervisorUnavailableException exception)
                {
                    result = ProbeResult.Unavailable(exception.Reason, exception.Fix);
                }
                catch (HypervisorException exception)
                {
                    result = ProbeResult.Unavailable(exception.Message.TrimEnd('.'), exception.Hint?.TrimEnd('.'));
                }
            }
            entries.Add(new(provider.Name, provider.DisplayName, result, false));
        }
        report = new(entries);
        if (entries.Count == 0)
            throw new HypervisorUnavailableException("Every backend", "the catalogue is empty", "add one, e.g. the emulator, which works everywhere");
        throw new HypervisorUnavailableException("Every backend", $"none of those in the catalogue can work here\n{report}\n");
    }

    /// <summary>Makes a backend by name.</summary>
    /// <param name="name">Its name; case does not matter.</param>
    /// <param name="options">Its options; null = none.</param>
    /// <exception cref="UnknownHypervisorException">There is none of that name; the message lists the names.</exception>
    /// <exception cref="ArgumentException">
    /// It does not know an option's key (the message lists those it knows) or does not take a value.
    /// </exception>
    /// <exception cref="HypervisorUnavailableException">It cannot work here; the message says why and what to do.</exception>
    public IHypervisor Create(string name, HypervisorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        IHypervisorProvider provider = Require(name);
        options ??= HypervisorOptions.Empty;
        CheckKeys(provider, options);
        ProbeResult result = Probe(provider.Probe);
        if (!result.IsAvailable)
            throw new HypervisorUnavailableException(provider.DisplayName, result.Reason!, result.Fix);
        return provider.Create(options);
    }

    /// <summary>Makes the backend of a selection.</summary>
    /// <param name="selection">Which, with options; <c>auto</c> for the best available.</param>
    /// <param name="report">What an automatic choice skipped; null after a choice by name.</param>
    /// <param name="deep">A backend counts as available only when it has really run a guest.</param>
    /// <exception cref="ArgumentException">As <see cref="Create(string, HypervisorOptions?)"/>.</exception>
    /// <exception cref="HypervisorUnavailableException">
    /// As <see cref="Create(string, HypervisorOptions?)"/> and <see cref="CreateBest"/>.
    /// </exception>
    public IHypervisor Create(HypervisorSelection selection, out HypervisorReport? report, bool deep = false)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Name == HypervisorSelection.AutomaticName)
            return CreateBest(out report, deep);
        report = null;
        IHypervisor hypervisor = Create(selection.Name, selection.Options);
        if (deep && DeepProbe.Run(hypervisor) is { IsAvailable: false } result)
            throw new HypervisorUnavailableException(selection.Name, result.Reason!, result.Fix);
        return hypervisor;
    }

    /// <summary>Probes every backend, the available and the unavailable alike. None is chosen.</summary>
    public HypervisorReport ProbeAll() =>
        new([.. _providers.Select(provider => new HypervisorReportEntry(provider.Name, provider.DisplayName, Probe(provider.Probe), false))]);

    /// <summary>Probes every backend, and has each available one run a HLT.</summary>
    public HypervisorReport ProbeDeeply() =>
        new([.. _providers.Select(provider => new HypervisorReportEntry(provider.Name, provider.DisplayName, ProbeDeeply(provider), false))]);

    /// <summary>Checks that a selection names a backend of this catalogue and option keys that it knows, without making it.</summary>
    /// <exception cref="UnknownHypervisorException">There is no backend of that name; the message lists the names.</exception>
    /// <exception cref="ArgumentException">It does not know an option's key; the message lists those it knows.</exception>
    public void Check(HypervisorSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Name != HypervisorSelection.AutomaticName)
            CheckKeys(Require(selection.Name), selection.Options);
    }

    private static void CheckKeys(IHypervisorProvider provider, HypervisorOptions options)
    {
        foreach (string key in options.Values.Keys)
        {
            if (!provider.OptionKeys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                string known = provider.OptionKeys.Count == 0 ? "it has none" : $"it has {string.Join(", ", provider.OptionKeys)}";
                throw new ArgumentException($"The {provider.Name} backend has no option '{key}'; {known}.", nameof(options));
            }
        }
    }

    private static ProbeResult ProbeDeeply(IHypervisorProvider provider)
    {
        ProbeResult result = Probe(provider.Probe);
        return result.IsAvailable ? DeepProbe.Run(provider) : result;
    }

    // A probe should not throw; one that does must not keep the other backends from being tried.
    private static ProbeResult Probe(Func<ProbeResult> probe)
    {
#pragma warning disable CA1031
        try
        {
            return probe();
        }
        catch (Exception exception)
        {
            return ProbeResult.Unavailable($"its probe failed: {exception.Message.TrimEnd('.')}");
        }
#pragma warning restore CA1031
    }

    private IHypervisorProvider Require(string name) =>
        Find(name) ?? throw new UnknownHypervisorException(name, [.. _providers.Select(known => known.Name)]);

    private IHypervisorProvider? Find(string name) =>
        _providers.Find(provider => string.Equals(provider.Name, name, StringComparison.OrdinalIgnoreCase));
}
