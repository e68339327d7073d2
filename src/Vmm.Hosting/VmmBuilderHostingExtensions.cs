using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Machines that a host owns, for <c>AddVmm</c>.</summary>
public static class VmmBuilderHostingExtensions
{
    /// <summary>
    /// Takes options and machines from a configuration section, such as <c>Vmm</c>: backend, and the machines that the host starts and
    /// stops. All is checked when the host starts; a message names the setting in full. Later changes of the configuration have no effect.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="section">The section; a key in it that is no setting is an error.</param>
    /// <exception cref="OptionsValidationException">
    /// When the host starts, or the options are first asked for: a setting is wrong or unknown.
    /// </exception>
    public static IVmmBuilder BindConfiguration(this IVmmBuilder builder, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        string name = builder.Name ?? Options.DefaultName;
        VmmSectionBinder binder = new(name, section);
        builder.Services.AddSingleton<IConfigureOptions<VmmOptions>>(binder);
        builder.Services.AddSingleton<IConfigureOptions<MachineHostOptions>>(binder);
        builder.Services.AddSingleton<IValidateOptions<VmmOptions>>(new SettingNamesValidator(name, section));
        return AddHost(builder);
    }

    /// <summary>Adds a machine that the host starts and stops, or adds to one that configuration describes.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The machine's name.</param>
    /// <param name="configure">Its settings; null = as they are.</param>
    /// <param name="finish">Adds what settings cannot say; null = nothing.</param>
    public static IVmmBuilder AddMachine(this IVmmBuilder builder, string name, Action<HostedMachineOptions>? configure = null, MachineFinish? finish = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Configure(builder, options =>
        {
            if (!options.Machines.TryGetValue(name, out HostedMachineOptions? machine))
                options.Machines[name] = machine = new HostedMachineOptions();
            configure?.Invoke(machine);
            if (finish is not null)
                options.Finishes[name] = finish;
        });
    }

    /// <summary>Has the host stop when every machine has ended.</summary>
    /// <param name="builder">The builder.</param>
    public static IVmmBuilder StopHostWhenDone(this IVmmBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Configure(builder, options => options.StopHostWhenDone = true);
    }

    private static IVmmBuilder Configure(IVmmBuilder builder, Action<MachineHostOptions> configure)
    {
        builder.Services.Configure(builder.Name ?? Options.DefaultName, configure);
        return AddHost(builder);
    }

    // Once for each name, however often something is added.
    private static IVmmBuilder AddHost(IVmmBuilder builder)
    {
        IServiceCollection services = builder.Services;
        string? key = builder.Name;
        if (services.Any(service => service.ServiceType == typeof(MachineHost) && Equals(service.ServiceKey, key)))
            return builder;
        string name = key ?? Options.DefaultName;
        services.AddOptions<MachineHostOptions>(name).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MachineHostOptions>>(provider => new MachineHostOptionsValidator(provider, name));
        services.AddKeyedSingleton(key, (provider, _) => new MachineHost(provider, key));
        services.AddKeyedSingleton<IMachineHost>(key, (provider, _) => provider.GetRequiredKeyedService<MachineHost>(key));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<MachineHost>(key));
        return builder;
    }
}
