using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vmm.Kvm;

namespace Vmm;

/// <summary>KVM for <c>AddVmm</c>.</summary>
public static class KvmVmmBuilderExtensions
{
    /// <summary>Adds Linux KVM. Where it cannot be used it is there but unavailable, with the reason.</summary>
    public static IVmmBuilder UseKvm(this IVmmBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseProvider(services => new KvmProvider(services.GetService<ILoggerFactory>()));
    }
}
