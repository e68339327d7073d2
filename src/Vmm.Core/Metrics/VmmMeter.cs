using System.Diagnostics.Metrics;

namespace Vmm;

/// <summary>The meter "Vmm": observable instruments that cost nothing until somebody listens.</summary>
internal static class VmmMeter
{
    private const string BackendTag = "vmm.backend";
    private const string KindTag = "vmm.exit.kind";

    private static readonly string[] KindNames = Enum.GetNames<ExitKind>();
    private static readonly Meter Instance = Create();

    /// <summary>Makes sure that the meter is there.</summary>
    internal static void Start() => _ = Instance;

    private static Meter Create()
    {
        Meter meter = new(VmmTelemetry.MeterName, typeof(VmmMeter).Assembly.GetName().Version?.ToString(3));
        meter.CreateObservableUpDownCounter(
            "vmm.partition.live", () => Observe(totals => totals.Partitions), "{partition}", "Partitions that are not disposed.");
        meter.CreateObservableUpDownCounter(
            "vmm.memory.mapped", () => Observe(totals => (long)totals.MappedBytes), "By", "Guest-physical memory that live partitions have mapped.");
        meter.CreateObservableCounter("vmm.vp.exits", ObserveExits, "{exit}", "Exits of virtual processors to their callers.");
        meter.CreateObservableCounter(
            "vmm.vp.events", () => Observe(totals => (long)totals.Events), "{event}", "Interrupts and exceptions delivered to virtual processors.");
        meter.CreateObservableCounter(
            "vmm.vp.instructions", () => Observe(totals => (long)totals.Instructions), "{instruction}", "Instructions retired, where the backend counts them.");
        meter.CreateObservableCounter(
            "vmm.slat.walks", () => Observe(totals => (long)totals.Walks), "{walk}", "Walks of nested page tables, where the backend has some of its own.");
        return meter;
    }

    private static IEnumerable<Measurement<long>> Observe(Func<BackendTotals, long> value) => LivePartitions.TotalsByBackend()
        .Select(pair => new Measurement<long>(value(pair.Value), new KeyValuePair<string, object?>(BackendTag, pair.Key)));

    private static IEnumerable<Measurement<long>> ObserveExits()
    {
        foreach ((string backend, BackendTotals totals) in LivePartitions.TotalsByBackend())
        {
            for (int kind = 0; kind < totals.Exits.Length; kind++)
            {
                if (totals.Exits[kind] != 0)
                {
                    yield return new Measurement<long>(
                        (long)totals.Exits[kind],
                        new KeyValuePair<string, object?>(BackendTag, backend), new KeyValuePair<string, object?>(KindTag, KindNames[kind]));
                }
            }
        }
    }
}
