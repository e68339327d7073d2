namespace Vmm.Documentation.Tests;

/// <summary>
/// Every C# block of the pages compiles without a warning, and runs where it is a program. The comment before a block says what it is:
/// <c>in NAME</c>: a fragment, which stands at <c>/* here */</c> of Contexts/NAME.cs; <c>prints TEXT</c>: its output; <c>types</c>:
/// declarations only; <c>compiles</c>: it is not run. A block of <c>file PATH</c> is one file of a program that takes a page to write: such
/// pages are followed as a whole by nuget/consumer/run.
/// </summary>
public sealed class CsharpBlockTests
{
    private const string Here = "/* here */";

    public static TheoryData<string> Blocks => [.. Pages.Blocks()
        .Where(block => block.Language == "csharp" && block.Directive?.StartsWith("file ", StringComparison.Ordinal) != true).Select(block => block.ToString())];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Code_of_a_page_compiles_and_does_what_the_page_says(string place)
    {
        CodeBlock block = Pages.Blocks().Single(candidate => candidate.ToString() == place);
        string directive = block.Directive ?? "";
        string[] words = directive.Split(' ', 2);
        bool types = directive.EndsWith("types", StringComparison.Ordinal);
        string source = words[0] == "in" ? InContext(words[1].Split(',')[0], block.Text) : block.Text;
        byte[] image = ProgramCompiler.Compile(source, !types);
        if (types || directive.EndsWith("compiles", StringComparison.Ordinal))
            return;
        string output = ProgramCompiler.Run(image);
        int prints = directive.IndexOf("prints ", StringComparison.Ordinal);
        if (prints >= 0)
            output.TrimEnd().Should().Be(directive[(prints + "prints ".Length)..]);
    }

    [Fact]
    public void Readme_begins_with_a_program_whose_output_is_checked() =>
        Pages.Blocks("README.md").First(block => block.Language == "csharp").Directive.Should().StartWith("prints ");

    private static string InContext(string name, string fragment)
    {
        string context = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Contexts", name + ".cs"));
        context.Should().Contain(Here);
        // Usings come first in a file, wherever the fragment stands.
        string[] lines = fragment.Split('\n');
        string[] usings = [.. lines.Where(IsUsing).Where(line => !context.Contains(line, StringComparison.Ordinal))];
        return string.Join('\n', usings) + '\n' + context.Replace(Here, string.Join('\n', lines.Where(line => !IsUsing(line))), StringComparison.Ordinal);

        static bool IsUsing(string line) => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=', StringComparison.Ordinal);
    }
}
