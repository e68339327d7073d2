using System.ComponentModel;
using System.Diagnostics;

namespace Vmm.X86.Tests.Paging;

/// <summary>A program that a test needs and a machine may lack.</summary>
internal static class OutsideTool
{
    /// <summary>Runs a program to its end. Skips the test where it is not installed, or fails it where VMM_REQUIRE names it.</summary>
    /// <param name="name">The name that VMM_REQUIRE uses.</param>
    /// <param name="install">How to install it.</param>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its exit status and what it said.</returns>
    public static (int Status, string Output) Run(string name, string install, string file, params string[] arguments)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception absent)
        {
            string reason = $"{file} cannot be started ({absent.Message}). Install it: {install}";
            string required = Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? string.Empty;
            if (required.Split(',', StringSplitOptions.TrimEntries).Contains(name))
                throw new InvalidOperationException($"VMM_REQUIRE names {name}: {reason}", absent);
            Skip.If(true, reason);
            throw;
        }

        using (process)
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromMinutes(1)))
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException($"{file} did not end within a minute.");
            }

            process.WaitForExit();
            return (process.ExitCode, $"{output.Result}{errors.Result}");
        }
    }
}
