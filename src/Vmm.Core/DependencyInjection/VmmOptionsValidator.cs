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
        // The setting as its user wrote it: a configuration key, or a property.
        string setting = string.IsNullOrEmpty(options.Origin) ? $"{nameof(VmmOptions)}.{nameof(VmmOptions.Backend)}" : $"{options.Origin}:{nameof(VmmOptions.Backend)}";
        if (options.Backend is null)
            return ValidateOptionsResult.Fail($"{setting} is null: write auto, a name, or name:key=value,...");
        try
        {
            services.GetRequiredKeyedService<HypervisorCatalog>(key).Check(HypervisorSelection.Parse(options.Backend));
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException exception)
        {
            return ValidateOptionsResult.Fail($"{setting}: {WithoutParameter(exception)}");
        }
    }

    // Whoever wrote the setting knows nothing of a method's parameters.
    private static string WithoutParameter(ArgumentException exception)
    {
        string parameter = $" (Parameter '{exception.ParamName}')";
        return exception.Message.EndsWith(parameter, StringComparison.Ordinal) ? exception.Message[..^parameter.Length] : exception.Message;
    }
}
