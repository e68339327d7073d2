using System.Text.Json;

namespace Vmm.Tool.Tests;

public sealed class ProbeTests : ToolTest
{
    // Trying what must not be done takes seconds: once for all tests.
    private static readonly Lazy<Probed> s_probed = new(() =>
    {
        string path = $"{Path.GetTempFileName()}.json";
        ToolResult result = Run("probe", "--backend", "whp-simulator", "--filter", "lifecycle.halt_runs", "--report", path);
        string text = File.ReadAllText(path);
        File.Delete(path);
        return new Probed(result, JsonDocument.Parse(text));
    });

    [Fact]
    public void Every_question_is_answered_with_what_was_seen_and_the_kit_beside_it()
    {
        (ToolResult result, JsonDocument json) = ProbeOnce();

        result.Status.Should().Be(0, result.Error);
        result.Text.TrimEnd().Split('\n')[^1].Should().StartWith("1 passed, 0 failed, 0 skipped, 0 absent; 11 of 11 questions answered: ");
        json.RootElement.GetProperty("unfinished").ValueKind.Should().Be(JsonValueKind.Null);
        JsonElement[] questions = [.. json.RootElement.GetProperty("questions").EnumerateArray()];
        string.Concat(questions.Select(question => question.GetProperty("id").GetString()).Order()).Should().Be("abcdefghijk");
        questions.Should().OnlyContain(question => question.GetProperty("observations").GetArrayLength() > 0);
        json.RootElement.GetProperty("kit").GetProperty("summary").GetProperty("passed").GetInt32().Should().Be(1);
    }

    // What the simulator was built to do, by its description of the platform.
    [Theory]
    [InlineData("a", "register page")]
    [InlineData("b", "Beyond the width: E_INVALIDARG; tracking with the capability: S_OK.")]
    [InlineData("c", "InterruptControllerState2: half WHV_E_INSUFFICIENT_BUFFER")]
    [InlineData("d", "It survives.")]
    [InlineData("h", "Yes: both sizes gave the same result in all")]
    [InlineData("i", "v3: set up, extended state of 11008 bytes.")]
    [InlineData("i", "v1: set up, extended state ERROR_HV_OPERATION_DENIED;")]
    [InlineData("j", "The feature is told; its register gives S_OK.")]
    [InlineData("k", "In the exit: yes; in DR6: no.")]
    [InlineData("e", "The second run returned WHV_E_INVALID_VP_STATE (0x80370308).")]
    [InlineData("g", "The deletion returned S_OK (0x00000000); the run returned")]
    public void Answers_are_those_of_the_platform_under_it(string id, string answer)
    {
        Answer(ProbeOnce().Document, id).Should().Contain(answer);
    }

    [Fact]
    public void Platform_is_described_in_its_own_words()
    {
        JsonElement platform = ProbeOnce().Document.RootElement.GetProperty("platform");

        platform.GetProperty("capabilities").EnumerateArray().Should().Contain(capability =>
            capability.GetProperty("name").GetString() == "HypervisorPresent" && capability.GetProperty("bytes").GetString() == "01000000");
        platform.GetProperty("exports").GetProperty("WHvRunVirtualProcessor").GetBoolean().Should().BeTrue();
        platform.GetProperty("exports").GetProperty("WHvResetPartition").GetBoolean().Should().BeFalse();
    }

    [Fact]
    public void Old_platform_leaves_open_what_it_has_no_functions_for()
    {
        string path = PathOf("probe.json");
        ToolResult result = Run(
            "probe", "--backend", "whp-simulator:release=1803", "--filter", "lifecycle.halt_runs", "--safe", "--report", path);

        result.Status.Should().Be(0, result.Error);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        Answer(json, "a").Should().BeNull();
        Answer(json, "c").Should().BeNull();
        Answer(json, "b").Should().Contain("tracking without the capability: ");
        json.RootElement.GetProperty("questions").EnumerateArray().Where(question => !question.GetProperty("asked").GetBoolean())
            .Select(question => question.GetProperty("id").GetString()).Should().Equal("e", "f", "g");
    }

    [Theory]
    [InlineData("--backend emulator", "'emulator' does not run on a Windows platform")]
    [InlineData("--backend whp-simulator --report report.md", "must end in .json")]
    [InlineData("--backend whp-simulator --report no/such/folder/report.json", "--report cannot be written")]
    public void Wrong_option_is_refused_in_one_line(string options, string because)
    {
        Run(["probe", .. options.Split(' ')]).ShouldRefuse(because);
    }

    private static string? Answer(JsonDocument json, string id) => json.RootElement.GetProperty("questions").EnumerateArray()
        .Single(question => question.GetProperty("id").GetString() == id).GetProperty("answer").GetString();

    private static Probed ProbeOnce() => s_probed.Value;

    private sealed record Probed(ToolResult Result, JsonDocument Document);
}
