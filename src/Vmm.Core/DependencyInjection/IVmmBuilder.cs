using Microsoft.Extensions.DependencyInjection;

namespace Vmm;

/// <summary>Configures <c>AddVmm</c>: its backends and options. Each backend's package adds a <c>Use...</c> extension.</summary>
public interface IVmmBuilder
{
    /// <summary>The services.</summary>
    IServiceCollection Services { get; }

    /// <summary>Key under which the services are registered; null for the default ones.</summary>
    string? Name { get; }

    /// <summary>Adds a backend after those already added. A second one of the same name and type is ignored.</summary>
    IVmmBuilder UseProvider(Func<IServiceProvider, IHypervisorProvider> factory);

    /// <summary>Sets options.</summary>
    IVmmBuilder Configure(Action<VmmOptions> configure);
}
