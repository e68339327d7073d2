using System.Text;
using System.Text.RegularExpressions;
using Vmm.Tool;

namespace Vmm.Documentation.Tests;

/// <summary>
/// A block whose first line is <c>$ vmm ARGUMENTS</c> goes on with what that says, on both streams. In the comment before it, <c>status
/// N</c> is what it ends with, and <c>on: linux|windows|macos</c> limits it to a system. <c>…</c> in a block stands for anything within a
/// line. With VMM_UPDATE_DOCS=1 the blocks are written anew.
/// </summary>
public sealed class CommandOutputTests
{
    private const string Prompt = "$ vmm ", Anything = "…";

    public static TheoryData<string> Blocks => [.. Outputs().Select(block => block.ToString())];

    [SkippableTheory]
    [MemberData(nameof(Blocks))]
    public void Output_on_a_page_is_the_real_one(string place)
    {
        CodeBlock block = Outputs().Single(candidate => candidate.ToString() == place);
        string[] parts = (block.Directive ?? "").Split("; ");
        string command = block.Text[..block.Text.IndexOf('\n', StringComparison.Ordinal)], shown = block.Text[(command.Length + 1)..];
        string? system = parts.FirstOrDefault(part => part.StartsWith("on: ", StringComparison.Ordinal))?[4..];
        Skip.If(system is not null && !OperatingSystem.IsOSPlatform(system), $"What this says is for {system}.");
        (int status, string said) = Run(command[Prompt.Length..].Split(' '));
        if (Environment.GetEnvironmentVariable("VMM_UPDATE_DOCS") == "1" && !shown.Contains(Anything, StringComparison.Ordinal))
            Update(block, $"{command}\n{said}");
        else
            said.Should().MatchRegex(Pattern(shown), "{0} shows what '{1}' says; VMM_UPDATE_DOCS=1 writes it anew", place, command);
        string? expected = parts.FirstOrDefault(part => part.StartsWith("status ", StringComparison.Ordinal))?[7..];
        if (expected is not null)
            status.ToString(System.Globalization.CultureInfo.InvariantCulture).Should().Be(expected);
    }

    [Fact]
    public void Help_of_every_command_is_on_a_page()
    {
        (_, string root) = Run(["--help"]);
        string[] commands = [.. Regex.Matches(root[root.IndexOf("Commands:", StringComparison.Ordinal)..], @"^  (\w+)", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
        commands.Should().Contain("run");
        foreach (string command in commands)
            Outputs().Should().Contain(block => block.Text.StartsWith($"{Prompt}{command} --help\n", StringComparison.Ordinal));
    }

    private static IEnumerable<CodeBlock> Outputs() =>
        Pages.Blocks().Where(block => block.Text.StartsWith(Prompt, StringComparison.Ordinal));

    private static (int Status, string Said) Run(string[] arguments)
    {
        using MemoryStream output = new();
        using StringWriter text = new();
        int status = Program.Invoke(arguments, new StandardStreams(new MemoryStream(), output, text, text, IsTerminal: false));
        string said = Encoding.Latin1.GetString(output.ToArray()) + text.ToString().ReplaceLineEndings("\n");
        return (status, string.Join('\n', said.Split('\n').Select(line => line.TrimEnd())).Trim('\n') + "\n");
    }

    private static string Pattern(string block) => $"^{Regex.Escape(block).Replace(Anything, "[^\n]*", StringComparison.Ordinal)}$";

    private static void Update(CodeBlock block, string text)
    {
        string before = Pages.Read(block.Page);
        int start = before.IndexOf($"\n{block.Text}```", StringComparison.Ordinal) + 1;
        File.WriteAllText(Path.Combine(Pages.Root, block.Page), string.Concat(before.AsSpan(0, start), text, before.AsSpan(start + block.Text.Length)));
    }
}
