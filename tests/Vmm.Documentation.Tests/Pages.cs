namespace Vmm.Documentation.Tests;

/// <summary>The pages that a reader sees: README.md and docs.</summary>
public static class Pages
{
    private const string Fence = "```", CommentStart = "<!--", CommentEnd = "-->";

    /// <summary>The folder with Vmm.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every page, as a path from the root with forward slashes, README first.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md").Select(path => "docs/" + Path.GetFileName(path)).Order(StringComparer.Ordinal),
    ];

    /// <summary>A page's text, lines ended by \n.</summary>
    public static string Read(string page) => File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n");

    /// <summary>The fenced blocks of all pages in order.</summary>
    public static IEnumerable<CodeBlock> Blocks() => All.SelectMany(Blocks);

    /// <summary>The fenced blocks of a page in order.</summary>
    public static IEnumerable<CodeBlock> Blocks(string page)
    {
        string[] lines = Read(page).Split('\n');
        int number = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].TrimStart().StartsWith(Fence, StringComparison.Ordinal))
                continue;
            int first = i + 1, end = Array.FindIndex(lines, first, line => line.TrimStart().StartsWith(Fence, StringComparison.Ordinal));
            if (end < 0)
                throw new InvalidDataException($"{page}:{i + 1}: the block has no end.");
            string text = string.Concat(lines[first..end].Select(line => line + "\n"));
            yield return new CodeBlock(page, ++number, lines[i].Trim()[Fence.Length..], text, i == 0 ? null : Directive(lines[i - 1]));
            i = end;
        }
    }

    private static string? Directive(string line)
    {
        line = line.Trim();
        return line.StartsWith(CommentStart, StringComparison.Ordinal) && line.EndsWith(CommentEnd, StringComparison.Ordinal)
            ? line[CommentStart.Length..^CommentEnd.Length].Trim()
            : null;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Vmm.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("Vmm.sln is in no folder above the tests.");
    }
}
