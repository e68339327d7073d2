using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Vmm;

/// <summary>Vmm among a host's health checks.</summary>
public static class VmmHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check that has the backend run a guest of three instructions to its HLT, in a partition of its own, and that fails when a
    /// machine of the host has failed.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="key">The key of the <c>AddVmm</c> that is checked; null = the default one.</param>
    /// <param name="name">The check's name; null = <c>vmm</c>, or <c>vmm-KEY</c>.</param>
    /// <param name="failureStatus">What a failure counts as; null = <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <param name="timeout">How long it may take; null = 10 seconds, which is the guest's own limit.</param>
    public static IHealthChecksBuilder AddVmm(
        this IHealthChecksBuilder builder, string? key = null, string? name = null, HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name ?? (key is null ? "vmm" : $"vmm-{key}"), services => new VmmHealthCheck(services, key), failureStatus, tags, timeout));
    }
}
