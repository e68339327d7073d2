using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Fills options from a configuration section; the binding code is generated when this is compiled.</summary>
internal sealed class VmmSectionBinder(string optionsName, IConfigurationSection section) :
    IConfigureNamedOptions<VmmOptions>, IConfigureNamedOptions<MachineHostOptions>
{
    public void Configure(VmmOptions options) => Configure(Options.DefaultName, options);

    public void Configure(MachineHostOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, VmmOptions options)
    {
        if (name != optionsName)
            return;
        Refusing<VmmOptions>(() => section.Bind(options));
        options.Origin = section.Path;
    }

    public void Configure(string? name, MachineHostOptions options)
    {
        if (name != optionsName)
            return;
        Refusing<MachineHostOptions>(() => section.Bind(options));
        options.Origin = section.Path;
    }

    // A value of the wrong kind is a setting that is refused like any other.
    private void Refusing<TOptions>(Action bind)
    {
        try
        {
            bind();
        }
        catch (InvalidOperationException exception)
        {
            string why = exception.InnerException is { } inner ? $"{exception.Message} {inner.Message}" : exception.Message;
            throw new OptionsValidationException(optionsName, typeof(TOptions), [why]);
        }
    }
}
