using System.Diagnostics.Metrics;

namespace Vmm.Machines;

/// <summary>Instruments of machines' runs, in the meter of the library.</summary>
internal static class MachineMeter
{
    private static readonly Meter s_meter = new(VmmTelemetry.MeterName, typeof(MachineMeter).Assembly.GetName().Version?.ToString(3));
    private static readonly UpDownCounter<long> s_running =
        s_meter.CreateUpDownCounter<long>("vmm.machine.running", "{machine}", "Machines that are running.");

    private static readonly Counter<long> s_runs =
        s_meter.CreateCounter<long>("vmm.machine.runs", "{run}", "Runs of machines that have ended, by how they ended.");

    /// <summary>A run begins.</summary>
    internal static void RunStarted(string backend) => s_running.Add(1, Backend(backend));

    /// <summary>A run has ended.</summary>
    internal static void RunEnded(string backend, MachineOutcomeKind outcome)
    {
        s_running.Add(-1, Backend(backend));
        s_runs.Add(1, Backend(backend), new KeyValuePair<string, object?>("vmm.machine.outcome", outcome.ToString()));
    }

    private static KeyValuePair<string, object?> Backend(string backend) => new("vmm.backend", backend);
}
