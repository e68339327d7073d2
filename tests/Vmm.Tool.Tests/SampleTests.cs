using System.Diagnostics;

namespace Vmm.Tool.Tests;

public sealed class SampleTests
{
    [Theory]
    [InlineData("01-HelloPort/HelloPort", "^Hello from a guest!\n$")]
    [InlineData("02-WhatIsAvailable/WhatIsAvailable", "(^|\n)emulator: available\n(.*\n)*  nested page tables: Ept, Npt, None\n")]
    [InlineData("03-LongMode/LongMode", "^Halt: 20! = 2432902008176640000\nnested tables: Ept, [1-9][0-9]* walks\n$")]
    [InlineData("04-CustomDevice/CustomDevice", "^Halt: the guest read 42 after 3 device accesses\n$")]
    [InlineData("05-DependencyInjection/DependencyInjection", "(^|\n)emulator: Halt\n")]
    [InlineData("07-ReadTheScreen/ReadTheScreen", @"^Hello from the reset vector\n80 by 25; the machine ended: reset \(port 0xCF9\)\n$")]
    public void Sample_prints_what_it_says(string sample, string output)
    {
        (int status, string text) = Run(sample, TimeSpan.FromMinutes(2));

        text.Should().MatchRegex(output);
        status.Should().Be(0);
    }

    [Fact]
    public void Boot_sample_says_what_it_does_not_understand()
    {
        Run("06-BootLinux/BootLinux", TimeSpan.FromMinutes(2), "--what").Status.Should().Be(2);
        Run("06-BootLinux/BootLinux", TimeSpan.FromMinutes(2), "--kernel", "only").Status.Should().Be(2);
    }

    [SkippableFact]
    public void Boot_sample_reaches_user_space()
    {
        DebianGuest.Require();

        (int status, string text) = Run("06-BootLinux/BootLinux", TimeSpan.FromMinutes(4));

        text.Should().MatchRegex("Hello from Linux [0-9.]+").And.Contain("6 * 7 = 42");
        status.Should().Be(0);
    }

    private static (int Status, string Output) Run(string sample, TimeSpan limit, params string[] arguments)
    {
        // tests/NAME/bin/CONFIGURATION/FRAMEWORK: samples are built alike.
        DirectoryInfo here = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string root = here.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, folder = Path.GetDirectoryName(sample)!;
        string program = Path.Combine(root, "samples", folder, "bin", here.Parent.Name, here.Name, Path.GetFileName(sample) + ".dll");
        ProcessStartInfo start = new("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{sample} did not end.");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult().ReplaceLineEndings("\n"));
    }
}
