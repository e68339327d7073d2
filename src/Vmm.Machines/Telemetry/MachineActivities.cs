using System.Diagnostics;

namespace Vmm.Machines;

/// <summary>Spans of work on a machine; null, and free, while nobody listens.</summary>
internal static class MachineActivities
{
    private static readonly ActivitySource s_source =
        new(VmmTelemetry.ActivitySourceName, typeof(MachineActivities).Assembly.GetName().Version?.ToString(3));

    /// <summary>Making a machine and loading what it starts from.</summary>
    internal static Activity? Boot(string backend, MachineOptions options) =>
        Start("vmm.machine.boot", backend, options.MemorySize)?.SetTag("vmm.partition.processors", options.ProcessorCount);

    internal static Activity? Save(string backend, ulong memory) => Start("vmm.machine.save", backend, memory);

    internal static Activity? Restore(string backend, ulong memory) => Start("vmm.machine.restore", backend, memory);

    internal static Activity? Stop(string backend, ulong memory) => Start("vmm.machine.stop", backend, memory);

    /// <summary>Says that the work failed, and with what.</summary>
    internal static void Fail(this Activity? activity, Exception exception) =>
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message).SetTag("error.type", exception.GetType().FullName);

    private static Activity? Start(string name, string backend, ulong memory) =>
        s_source.StartActivity(name)?.SetTag("vmm.backend", backend).SetTag("vmm.memory.size", (long)memory);
}
