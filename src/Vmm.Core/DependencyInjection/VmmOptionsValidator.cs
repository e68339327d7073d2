using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Checks the options of one registration against the backends it knows.</summary>
internal sealed class VmmOptionsValidator(IServiceProvider services, string? key) : IValidateOptions<VmmOptions>
{
    public ValidateOptionsResult Validate(string? name, VmmOptions options)
    {
        if (name != (key ?? string.Empty))
            return ValidateOptionsResult.Skip;
        if (options.Backend is null)
            return ValidateOptionsResult.Fail($"{nameof(VmmOptions.Backend)} is null: write auto, a name, or name:key=value,...");
        try
        {
            services.GetRequiredKeyedService<HypervisorCatalog>(key).Check(HypervisorSelection.Parse(options.Backend));
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException exception)
        {
            return ValidateOptionsResult.Fail($"{nameof(VmmOptions.Backend)}: {exception.Message}");
        }
    }
}
