using System.Text.Json;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>Counters of a run, as text or JSON. A file is opened before the run, so that a wrong path costs nothing.</summary>
internal sealed class RunStatistics : IDisposable
{
    private readonly TextWriter _error;
    private readonly FileStream? _file;

    private RunStatistics(TextWriter error, FileStream? file)
    {
        _error = error;
        _file = file;
    }

    /// <param name="path">Of the JSON file; empty: text on standard error.</param>
    /// <param name="error">Standard error.</param>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static RunStatistics Open(string path, TextWriter error)
    {
        try
        {
            return new RunStatistics(error, path.Length == 0 ? null : File.Create(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--stats json:{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes the counters.</summary>
    /// <param name="partition">Whose.</param>
    /// <param name="machine">The machine around it; null = there are no devices.</param>
    /// <param name="elapsed">How long it ran.</param>
    public void Write(IPartition partition, Machine? machine, TimeSpan elapsed)
    {
        List<(string Name, double Value)> rows = Collect(partition, machine, elapsed);
        if (_file is null)
        {
            foreach ((string name, double value) in rows)
                _error.WriteLine(FormattableString.Invariant($"vmm: {name} = {value:0.######}"));
            return;
        }
        using Utf8JsonWriter json = new(_file, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        foreach ((string name, double value) in rows)
            json.WriteNumber(name, value);
        json.WriteEndObject();
    }

    public void Dispose() => _file?.Dispose();

    private static List<(string Name, double Value)> Collect(IPartition partition, Machine? machine, TimeSpan elapsed)
    {
        List<(string, double)> rows = [("seconds", elapsed.TotalSeconds)];
        foreach (IVirtualProcessor processor in partition.Processors)
        {
            ProcessorCounters counters = processor.Counters;
            string prefix = $"processor.{processor.Index}.";
            rows.Add((prefix + "instructions", counters.Instructions));
            rows.Add((prefix + "events", counters.EventsDelivered));
            if (counters.AssistedInstructions != 0)
                rows.Add((prefix + "assisted", counters.AssistedInstructions));
            for (int kind = 0; kind < counters.Exits.Count; kind++)
            {
                if (counters.Exits[kind] != 0)
                    rows.Add(($"{prefix}exits.{(ExitKind)kind}", counters.Exits[kind]));
            }
        }
        rows.Insert(1, ("instructions", partition.Processors.Sum(processor => (double)processor.Counters.Instructions)));
        if (partition.VirtualTime is { } time)
            rows.Insert(2, ("virtual-nanoseconds", time.Nanoseconds));
        SlatStatistics slat = partition.Memory.Statistics;
        rows.Add(("slat.pages.4k", slat.Pages4K));
        rows.Add(("slat.pages.2m", slat.Pages2M));
        rows.Add(("slat.pages.1g", slat.Pages1G));
        rows.Add(("slat.tables", slat.TablePages));
        rows.Add(("slat.walks", slat.Walks));
        rows.Add(("slat.entries", slat.EntriesRead));
        rows.Add(("slat.tlb-misses", slat.TlbMisses));
        rows.Add(("slat.shootdowns", slat.Shootdowns));
        rows.Add(("slat.violations", slat.Violations));
        if (machine is not null)
        {
            rows.Add(("ports.unassigned", machine.Ports.UnassignedAccesses));
            rows.Add(("mmio.unassigned", machine.Mmio.UnassignedAccesses));
        }
        return rows;
    }
}
