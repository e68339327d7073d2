using System.Diagnostics;

namespace Vmm.X86.Tests.Privileged;

/// <summary>Programs that are not part of the build: an assembler and another emulator.</summary>
internal static class OutsideTool
{
    /// <summary>Skips the test without the tool, unless VMM_REQUIRE names it.</summary>
    public static void Require(string tool, string program, string package)
    {
        if (Find(program))
            return;
        string reason = $"{tool} is not installed: apt-get install {package}";
        bool required = (Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? "").Split(',').Contains(tool);
        if (required)
            throw new InvalidOperationException($"VMM_REQUIRE names {tool}, but {reason}");
        Skip.If(true, reason);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit status.</returns>
    public static int Run(string program, TimeSpan limit, out string error, params string[] arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            throw new TimeoutException($"{program} did not end within {limit}.");
        }
        error = errors.Result + output.Result;
        return process.ExitCode;
    }

    private static bool Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));
}
