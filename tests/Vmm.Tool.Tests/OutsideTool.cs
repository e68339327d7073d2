using System.ComponentModel;
using System.Diagnostics;

namespace Vmm.Tool.Tests;

/// <summary>Programs and services that a test needs and a machine may lack.</summary>
internal static class OutsideTool
{
    /// <summary>Skips the test, or fails it where VMM_REQUIRE names the tool.</summary>
    public static void Missing(string name, string reason)
    {
        string required = Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? "";
        if (required.Split(',', StringSplitOptions.TrimEntries).Contains(name))
            throw new InvalidOperationException($"VMM_REQUIRE names {name}: {reason}");
        Skip.If(true, $"{name}: {reason}");
    }

    /// <summary>Runs a program that must end well; where it is not installed the test is skipped.</summary>
    public static void Run(string name, string install, string folder, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = folder, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.Should().Be(0, "{0} said: {1}", program, error);
        }
        catch (Win32Exception absent)
        {
            Missing(name, $"{program} cannot be started ({absent.Message}). Install it: {install}");
        }
    }
}
