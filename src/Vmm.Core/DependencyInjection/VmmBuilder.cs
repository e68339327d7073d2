using Microsoft.Extensions.DependencyInjection;

namespace Vmm;

internal sealed class VmmBuilder(IServiceCollection services, string? name) : IVmmBuilder
{
    public IServiceCollection Services => services;

    public string? Name => name;

    public IVmmBuilder UseProvider(Func<IServiceProvider, IHypervisorProvider> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        services.AddKeyedSingleton(name, (provider, _) => factory(provider));
        return this;
    }

    public IVmmBuilder Configure(Action<VmmOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(name ?? string.Empty, configure);
        return this;
    }
}
