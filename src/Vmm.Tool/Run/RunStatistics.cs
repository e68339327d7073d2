using System.Text.Json;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>Counters of a run, as text or JSON.</summary>
internal static class RunStatistics
{
    public static void Write(Machine machine, TimeSpan elapsed, string path, TextWriter error)
    {
        List<(string Name, double Value)> rows = Collect(machine, elapsed);
        if (path.Length == 0)
        {
            foreach ((string name, double value) in rows)
                error.WriteLine(FormattableString.Invariant($"vmm: {name} = {value:0.######}"));
            return;
        }
        try
        {
            using FileStream file = File.Create(path);
            using Utf8JsonWriter json = new(file, new JsonWriterOptions { Indented = true });
            json.WriteStartObject();
            foreach ((string name, double value) in rows)
                json.WriteNumber(name, value);
            json.WriteEndObject();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--stats json:{path} cannot be written: {e.Message}", e);
        }
    }

    private static List<(string Name, double Value)> Collect(Machine machine, TimeSpan elapsed)
    {
        List<(string, double)> rows = [("seconds", elapsed.TotalSeconds)];
        foreach (IVirtualProcessor processor in machine.Partition.Processors)
        {
            ProcessorCounters counters = processor.Counters;
            string prefix = $"processor.{processor.Index}.";
            rows.Add((prefix + "instructions", counters.Instructions));
            rows.Add((prefix + "events", counters.EventsDelivered));
            for (int kind = 0; kind < counters.Exits.Count; kind++)
            {
                if (counters.Exits[kind] != 0)
                    rows.Add(($"{prefix}exits.{(ExitKind)kind}", counters.Exits[kind]));
            }
        }
        SlatStatistics slat = machine.Partition.Memory.Statistics;
        rows.Add(("slat.pages.4k", slat.Pages4K));
        rows.Add(("slat.pages.2m", slat.Pages2M));
        rows.Add(("slat.pages.1g", slat.Pages1G));
        rows.Add(("slat.tables", slat.TablePages));
        rows.Add(("slat.walks", slat.Walks));
        rows.Add(("slat.entries", slat.EntriesRead));
        rows.Add(("slat.tlb-misses", slat.TlbMisses));
        rows.Add(("slat.shootdowns", slat.Shootdowns));
        rows.Add(("slat.violations", slat.Violations));
        rows.Add(("ports.unassigned", machine.Ports.UnassignedAccesses));
        rows.Add(("mmio.unassigned", machine.Mmio.UnassignedAccesses));
        return rows;
    }
}
