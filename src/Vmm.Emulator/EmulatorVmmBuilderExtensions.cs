using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vmm.Emulator;

namespace Vmm;

/// <summary>The emulator for <c>AddVmm</c>.</summary>
public static class EmulatorVmmBuilderExtensions
{
    /// <summary>Adds the managed emulator, which works on every host: put it last.</summary>
    public static IVmmBuilder UseEmulator(this IVmmBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseProvider(services => new EmulatorProvider(services.GetService<ILoggerFactory>()));
    }
}
