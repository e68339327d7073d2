using System.Text.RegularExpressions;

namespace Vmm.Documentation.Tests;

/// <summary>Links inside the project lead somewhere, and every page can be reached from the first.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Names => [.. Pages.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void Links_of_a_page_lead_to_a_file_and_a_heading(string page)
    {
        foreach ((string target, string anchor) in Links(page))
        {
            string path = target.Length == 0 ? page : Resolve(page, target);
            string full = Path.Combine(Pages.Root, path);
            (File.Exists(full) || Directory.Exists(full)).Should().BeTrue("{0} links to {1}", page, target);
            if (anchor.Length != 0)
                Headings(path).Should().Contain(anchor, "{0} links to {1}#{2}", page, target, anchor);
        }
    }

    [Fact]
    public void Every_page_is_reached_from_the_first()
    {
        HashSet<string> seen = ["README.md"];
        Queue<string> open = new(seen);
        while (open.TryDequeue(out string? page))
        {
            foreach ((string target, _) in Links(page))
            {
                string path = target.Length == 0 ? page : Resolve(page, target);
                if (path.EndsWith(".md", StringComparison.Ordinal) && seen.Add(path))
                    open.Enqueue(path);
            }
        }
        Pages.All.Should().BeSubsetOf(seen);
    }

    private static IEnumerable<(string Target, string Anchor)> Links(string page) =>
        from Match match in Link().Matches(OutsideFences(page))
        let target = match.Groups[1].Value
        where !target.Contains("://", StringComparison.Ordinal)
        let parts = target.Split('#', 2)
        select (parts[0], parts.Length == 2 ? parts[1] : "");

    private static IEnumerable<string> Headings(string page) =>
        from line in OutsideFences(page).Split('\n')
        where line.StartsWith('#')
        select NotInAnchors().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    private static string Resolve(string page, string target) =>
        Path.GetRelativePath(Pages.Root, Path.GetFullPath(Path.Combine(Pages.Root, Path.GetDirectoryName(page)!, target))).Replace('\\', '/');

    private static string OutsideFences(string page) => Fenced().Replace(Pages.Read(page), "");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex("^[ ]*```.*?^[ ]*```[^\n]*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
