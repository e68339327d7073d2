using System.Diagnostics;

namespace Vmm;

/// <summary>Spans of work that takes time; null, and free, while nobody listens.</summary>
internal static class VmmActivities
{
    private static readonly ActivitySource Source = new(VmmTelemetry.ActivitySourceName, typeof(VmmActivities).Assembly.GetName().Version?.ToString(3));

    internal static Activity? CreatePartition(string backend, int processors) =>
        Source.StartActivity("vmm.partition.create")?.SetTag("vmm.backend", backend).SetTag("vmm.partition.processors", processors);

    /// <summary>Says that the work failed, and with what.</summary>
    internal static void Fail(this Activity? activity, Exception exception) =>
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message).SetTag("error.type", exception.GetType().FullName);
}
