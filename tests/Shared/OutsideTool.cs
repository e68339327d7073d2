using System.ComponentModel;
using System.Diagnostics;

namespace Vmm.Tests;

/// <summary>
/// Programs, packages and services that a test needs and a machine may lack: without one the test is skipped with the reason and how to
/// get it, or fails where VMM_REQUIRE names it.
/// </summary>
internal static class OutsideTool
{
    /// <summary>Skips the test, or fails it where VMM_REQUIRE names the tool.</summary>
    /// <param name="name">The word that VMM_REQUIRE uses.</param>
    /// <param name="reason">What is missing and how to get it.</param>
    public static void Missing(string name, string reason)
    {
        string required = Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? string.Empty;
        if (required.Split(',', StringSplitOptions.TrimEntries).Contains(name))
            throw new InvalidOperationException($"VMM_REQUIRE names {name}: {reason}");
        Skip.If(true, $"{name}: {reason}");
    }

    /// <summary>Skips the test where a program is not on the search path.</summary>
    public static void Require(string name, string program, string package)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? string.Empty;
        if (!path.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program))))
            Missing(name, Absent(program, package, "it is not on the search path"));
    }

    /// <summary>Runs a program to its end, at most two minutes. Skips the test where it is not installed.</summary>
    /// <param name="name">The word that VMM_REQUIRE uses.</param>
    /// <param name="package">The Debian package that brings it.</param>
    /// <param name="folder">The folder it runs in, or null for this process's.</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its exit status and what it said.</returns>
    public static (int Status, string Output) Try(string name, string package, string? folder, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? string.Empty,
        };
        Process? process = null;
        try
        {
            process = Process.Start(start);
        }
        catch (Win32Exception absent)
        {
            Missing(name, Absent(program, package, absent.Message));
        }

        using (process)
        {
            Task<string> output = process!.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException($"{program} did not end within two minutes.");
            }

            process.WaitForExit();
            return (process.ExitCode, $"{output.Result}{errors.Result}");
        }
    }

    /// <summary>Runs a program that must end well. Skips the test where it is not installed.</summary>
    public static void Run(string name, string package, string? folder, string program, params string[] arguments)
    {
        (int status, string said) = Try(name, package, folder, program, arguments);
        status.Should().Be(0, "{0} said: {1}", program, said);
    }

    private static string Absent(string program, string package, string why) =>
        $"{program} cannot be started ({why}). Install it, on Debian: apt-get install {package}";
}
