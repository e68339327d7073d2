using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vmm.WindowsHypervisor;

namespace Vmm;

/// <summary>The Windows Hypervisor Platform for <c>AddVmm</c>.</summary>
public static class WindowsHypervisorVmmBuilderExtensions
{
    /// <summary>Adds the Windows Hypervisor Platform. On other systems it is there but unavailable, with the reason.</summary>
    public static IVmmBuilder UseWindowsHypervisor(this IVmmBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseProvider(services => new WindowsHypervisorProvider(services.GetService<ILoggerFactory>()));
    }
}
