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
        Meter meter = new("Vmm");
        meter.CreateObservableUpDownCounter("vmm.partition.live", ObservePartitions, "{partition}", "Partitions that are not disposed.");
        meter.CreateObservableCounter("vmm.vp.exits", ObserveExits, "{exit}", "Exits of virtual processors to their callers.");
        return meter;
    }

    private static IEnumerable<Measurement<long>> ObservePartitions() =>
        LivePartitions.CountByBackend().Select(pair => new Measurement<long>(pair.Value, new KeyValuePair<string, object?>(BackendTag, pair.Key)));

    private static IEnumerable<Measurement<long>> ObserveExits()
    {
        foreach ((string backend, ulong[] exits) in LivePartitions.ExitsByBackend())
        {
            for (int kind = 0; kind < exits.Length; kind++)
            {
                if (exits[kind] != 0)
                {
                    yield return new Measurement<long>(
                        (long)exits[kind], new KeyValuePair<string, object?>(BackendTag, backend), new KeyValuePair<string, object?>(KindTag, KindNames[kind]));
                }
            }
        }
    }
}
