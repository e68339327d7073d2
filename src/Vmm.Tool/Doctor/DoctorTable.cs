using System.Globalization;
using Spectre.Console;

namespace Vmm.Tool.Doctor;

/// <summary>The diagnoses as tables, for people.</summary>
internal static class DoctorTable
{
    public static void Write(IReadOnlyList<BackendDiagnosis> backends, StandardStreams streams)
    {
        IAnsiConsole console = TextConsole.Create(streams.Text, streams.IsTextTerminal);
        Table overview = new Table().Border(TableBorder.Ascii2);
        overview.AddColumns("Backend", "Works here", "A guest ran to HLT", "Processors", "Address bits", "Nested tables", "CPU profiles");
        foreach (BackendDiagnosis backend in backends)
        {
            HypervisorCapabilities? capabilities = backend.Capabilities;
            overview.AddRow(
                Cell(backend.Name),
                Cell(backend.Result.IsAvailable ? "yes" : "no"),
                Cell(GuestResult(backend)),
                Cell(capabilities is null ? "" : string.Create(CultureInfo.InvariantCulture, $"up to {capabilities.MaximumProcessors}")),
                Cell(capabilities?.PhysicalAddressBits.ToString(CultureInfo.InvariantCulture) ?? ""),
                Cell(string.Join(", ", capabilities?.SlatFormats.Select(Words.Of) ?? [])),
                Cell(string.Join(", ", capabilities?.CpuProfiles ?? [])));
        }
        console.Write(overview);
        foreach (BackendDiagnosis backend in backends)
            Explain(backend, console, streams.Text);
    }

    private static string GuestResult(BackendDiagnosis backend) => backend.GuestTime switch
    {
        null => "not tried",
        { } time when backend.Result.IsAvailable => string.Create(CultureInfo.InvariantCulture, $"yes, {time.TotalMilliseconds:0} ms"),
        _ => "no",
    };

    private static void Explain(BackendDiagnosis backend, IAnsiConsole console, TextWriter text)
    {
        text.WriteLine();
        text.WriteLine($"{backend.Name}: {backend.DisplayName}");
        if (!backend.Result.IsAvailable)
        {
            text.WriteLine($"  Why not: {backend.Result.Reason}.");
            text.WriteLine(backend.Result.Fix is { } fix ? $"  Fix: {fix}." : "  Nothing on this host can change that.");
        }
        if (backend.Capabilities is not { } capabilities)
            return;
        Table table = new Table().Border(TableBorder.Ascii2).AddColumns("Capability", "Declared", "What it is");
        IEnumerable<Capability> known = Capability.WellKnown.Union(capabilities.Declared);
        foreach (Capability capability in known.OrderBy(capability => capability.Name, StringComparer.Ordinal))
            table.AddRow(Cell(capability.Name), Cell(capabilities.Has(capability) ? "yes" : "no"), Cell(capability.Description));
        console.Write(table);
        foreach (Quirk quirk in capabilities.Quirks)
        {
            text.WriteLine($"  Quirk {quirk.Name}: {quirk.Description}");
            foreach (QuirkEvidence evidence in quirk.Evidence)
                text.WriteLine($"    {evidence}");
        }
    }

    // Never markup: texts of backends are shown as they are.
    private static Text Cell(string text) => new(text);
}
