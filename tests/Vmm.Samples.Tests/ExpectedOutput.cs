using System.Text.RegularExpressions;

namespace Vmm.Samples.Tests;

/// <summary>
/// What a program shall print, line by line: <c>/regex/</c> stands for a line that it matches as a whole, <c>...</c> for any number of
/// lines, every other line for itself.
/// </summary>
internal sealed class ExpectedOutput(IReadOnlyList<string> expected)
{
    private const string AnyLines = "...";

    internal static ExpectedOutput Read(string path) => new(Lines(File.ReadAllText(path)));

    /// <summary>What differs, in words; null where nothing does.</summary>
    internal string? Compare(string output)
    {
        string[] actual = Lines(output);
        // reached[j]: the expected lines so far can stand for the first j actual ones.
        bool[] reached = new bool[actual.Length + 1];
        reached[0] = true;
        foreach (string line in expected)
        {
            bool[] next = new bool[actual.Length + 1];
            for (int j = 0; j <= actual.Length; j++)
            {
                next[j] = line == AnyLines
                    ? reached[j] || (j > 0 && next[j - 1])
                    : j > 0 && reached[j - 1] && Matches(line, actual[j - 1]);
            }
            if (!Array.Exists(next, here => here))
            {
                int furthest = Array.LastIndexOf(reached, true);
                return $"expected '{line}' at line {furthest + 1}, found {(furthest < actual.Length ? $"'{actual[furthest]}'" : "the end")}";
            }
            reached = next;
        }
        return reached[actual.Length] ? null : $"line {Array.LastIndexOf(reached, true) + 1} is more than was expected: '{actual[Array.LastIndexOf(reached, true)]}'";
    }

    private static bool Matches(string line, string actual) => line.Length > 1 && line[0] == '/' && line[^1] == '/'
        ? Regex.IsMatch(actual, $"^(?:{line[1..^1]})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5))
        : line == actual;

    private static string[] Lines(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }
}
