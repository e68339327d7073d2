using System.Diagnostics;

namespace Vmm.Samples.Tests;

/// <summary>A sample as it was built, run in a process of its own.</summary>
internal static class SampleProgram
{
    private static readonly DirectoryInfo s_here = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    /// <summary>The folder of all samples. Tests are in tests/NAME/bin/CONFIGURATION/FRAMEWORK.</summary>
    internal static string Root { get; } = Path.Combine(s_here.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, "samples");

    /// <summary>The folders of the samples.</summary>
    internal static IEnumerable<string> All => Directory.EnumerateFiles(Root, "*.csproj", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
        .Select(project => Path.GetFileName(Path.GetDirectoryName(project)!)).Order(StringComparer.Ordinal);

    internal static async Task<(int Status, string Output, string Errors)> RunAsync(string sample, params string[] arguments)
    {
        string name = Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(Root, sample), "*.csproj").Single());
        string program = Path.Combine(Root, sample, "bin", s_here.Parent!.Name, s_here.Name, name + ".dll");
        ProcessStartInfo start = new("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(4));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{sample} did not end. It said: {await output}{await errors}");
        }
        return (process.ExitCode, await output, await errors);
    }
}
