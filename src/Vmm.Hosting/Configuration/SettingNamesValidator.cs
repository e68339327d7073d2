using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>Refuses settings that there are not.</summary>
internal sealed class SettingNamesValidator(string optionsName, IConfigurationSection section) : IValidateOptions<VmmOptions>
{
    public ValidateOptionsResult Validate(string? name, VmmOptions options)
    {
        if (name != optionsName)
            return ValidateOptionsResult.Skip;
        string[] unknown = [.. SettingNames.FindUnknown(section)];
        return unknown.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(unknown);
    }
}
