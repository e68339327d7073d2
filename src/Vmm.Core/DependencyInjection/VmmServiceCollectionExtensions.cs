using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Vmm in a service container.</summary>
public static class VmmServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="HypervisorCatalog"/> and <see cref="IHypervisor"/> as singletons. The backend is chosen when it is first asked
    /// for, by <see cref="VmmOptions"/>; what was skipped is logged with its reason.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Adds backends, by preference.</param>
    public static IServiceCollection AddVmm(this IServiceCollection services, Action<IVmmBuilder> configure) => Add(services, null, configure);

    /// <summary>
    /// As <see cref="AddVmm(IServiceCollection, Action{IVmmBuilder})"/>, as keyed services: for <c>[FromKeyedServices(name)]</c>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The key, and the name of the <see cref="VmmOptions"/>.</param>
    /// <param name="configure">Adds backends, by preference.</param>
    public static IServiceCollection AddVmm(this IServiceCollection services, string name, Action<IVmmBuilder> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(services, name, configure);
    }

    private static IServiceCollection Add(IServiceCollection services, string? name, Action<IVmmBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        // Once for each name, however often this is called: later calls only add backends and options.
        bool known = services.Any(service => service.ServiceType == typeof(HypervisorCatalog) && Equals(service.ServiceKey, name));
        if (!known)
        {
            services.AddOptions<VmmOptions>(name ?? string.Empty).ValidateOnStart();
            services.AddSingleton<IValidateOptions<VmmOptions>>(provider => new VmmOptionsValidator(provider, name));
            services.AddKeyedSingleton(name, (provider, _) => CreateCatalog(provider, name));
            services.TryAddKeyedSingleton(name, (provider, _) => CreateHypervisor(provider, name));
        }
        configure(new VmmBuilder(services, name));
        return services;
    }

    private static HypervisorCatalog CreateCatalog(IServiceProvider services, string? name)
    {
        HypervisorCatalog catalog = new();
        foreach (IHypervisorProvider provider in services.GetKeyedServices<IHypervisorProvider>(name))
        {
            if (!catalog.Providers.Any(other => other.Name == provider.Name && other.GetType() == provider.GetType()))
                catalog.Add(provider);
        }
        return catalog;
    }

    private static IHypervisor CreateHypervisor(IServiceProvider services, string? name)
    {
        ILogger logger = (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger<HypervisorCatalog>();
        VmmOptions options = services.GetRequiredService<IOptionsMonitor<VmmOptions>>().Get(name ?? string.Empty);
        HypervisorCatalog catalog = services.GetRequiredKeyedService<HypervisorCatalog>(name);
        HypervisorSelection selection = HypervisorSelection.Parse(options.Backend);
        IHypervisor hypervisor = catalog.Create(selection, out HypervisorReport? report, options.DeepProbe);
        foreach (HypervisorReportEntry entry in report?.Entries ?? [])
        {
            if (!entry.IsChosen)
                VmmLog.BackendSkipped(logger, entry.Name, entry.Result);
        }
        VmmLog.BackendChosen(logger, hypervisor.Name);
        return hypervisor;
    }
}
