using System.CommandLine;
using System.Text.Json;
using Vmm.Tool.Run;

namespace Vmm.Tool.Conformance;

/// <summary><c>vmm matrix</c>: what several backends can do, side by side, from their reports.</summary>
internal static class MatrixCommand
{
    private const ulong MostBytes = 64UL << 20;

    private static readonly Argument<string[]> Reports = new("FILE.json")
    {
        Description = "Reports that 'vmm conformance --report FILE.json' wrote, one a backend.", Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create(StandardStreams streams)
    {
        Command command = new("matrix", "Prints a Markdown table of several backends' conformance: cases by area, and capabilities.") { Reports };
        command.SetAction(parsed => Execute(parsed.GetValue(Reports)!, streams));
        return command;
    }

    private static int Execute(string[] paths, StandardStreams streams)
    {
        BackendColumn[] columns = [.. paths.Select(Read)];
        streams.Text.Write(BackendMatrix.ToMarkdown(columns));
        return ExitStatus.Success;
    }

    private static BackendColumn Read(string path)
    {
        byte[] content = InputFile.Read(path, "The report", MostBytes, $"{MostBytes >> 20} MiB");
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            return BackendColumn.Parse(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            string why = e is KeyNotFoundException ? "it is JSON of another kind." : e.Message;
            throw new UsageException($"'{path}' is no report of 'vmm conformance --report': {why}", e);
        }
    }
}
