using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using static BootLinux.DebianPackages;

namespace BootLinux;

/// <summary>
/// Shows on standard error how far the downloads are: bars on a terminal, else a line when one begins and one when it is done, or a JSON
/// object a line for programs. Standard output is the guest's.
/// </summary>
internal static class DownloadProgress
{
    public static (string Kernel, string Busybox) Fetch(string folder, bool json)
    {
        if (json)
            return DebianPackages.Fetch(folder, WriteJson);
        if (Console.IsErrorRedirected)
            return DebianPackages.Fetch(folder, WriteLine);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        Progress progress = console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn());
        return progress.Start(context =>
        {
            Dictionary<string, ProgressTask> tasks = [];
            return DebianPackages.Fetch(folder, download =>
            {
                if (!tasks.TryGetValue(download.Package, out ProgressTask? task))
                    tasks[download.Package] = task = context.AddTask(download.Package, maxValue: Math.Max(1, download.Total));
                task.Value = download.Done;
            });
        });
    }

    private static void WriteLine(Download download)
    {
        string size = download.Total == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {download.Total / 1048576.0:0.0} MiB");
        if (download.Done == 0)
            Console.Error.WriteLine($"downloading the Debian package {download.Package}{size}");
        else if (download.Done == download.Total)
            Console.Error.WriteLine($"downloaded {download.Package}");
    }

    private static void WriteJson(Download download)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("package", download.Package);
            writer.WriteNumber("done", download.Done);
            writer.WriteNumber("total", download.Total);
            writer.WriteEndObject();
        }
        Console.Error.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
