namespace Vmm.Tool.Tests;

/// <summary>The Windows platform where there is none: explained when asked for, passed over with its reason when not.</summary>
public sealed class WindowsPlatformAbsenceTests : ToolTest
{
    private const string Reason = "the Windows Hypervisor Platform is a part of Windows";

    public WindowsPlatformAbsenceTests() => Skip.If(OperatingSystem.IsWindows(), "This is about systems without the platform.");

    [SkippableTheory]
    [InlineData("run --flat code.bin@0x7C00")]
    [InlineData("conformance")]
    [InlineData("probe")]
    public void Choice_by_name_is_explained_in_one_sentence_with_status_4(string command)
    {
        Write("code.bin", [0xF4]);
        string[] words = [.. command.Replace("code.bin", PathOf("code.bin"), StringComparison.Ordinal).Split(' '), "--backend", "whp"];

        ToolResult result = Run(words);

        result.Status.Should().Be(4);
        result.Error.TrimEnd().Should().Be($"vmm: Windows Hypervisor Platform is unavailable: {Reason}.");
        (result.Output + result.Text).Should().BeEmpty();
    }

    [SkippableFact]
    public void Doctor_says_the_reason()
    {
        Run("doctor").Text.Should().MatchRegex(@"\| whp +\| no +\| not tried +\|").And.Contain($"Why not: {Reason}.");
    }

    [SkippableFact]
    public void Automatic_choice_passes_it_over_and_keeps_the_reason()
    {
        Hypervisors.BestAvailable(out HypervisorReport report);

        HypervisorReportEntry entry = report.Entries.Should().ContainSingle(entry => entry.Name == "whp").Which;
        entry.IsChosen.Should().BeFalse();
        entry.Result.Reason.Should().Be(Reason);
    }
}
