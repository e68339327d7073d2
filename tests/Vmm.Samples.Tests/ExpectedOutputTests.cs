namespace Vmm.Samples.Tests;

/// <summary>The comparison itself: it must be able to fail.</summary>
public sealed class ExpectedOutputTests
{
    [Theory]
    [InlineData("a|b", "a\nb\n", null)]
    [InlineData("a|b", "a\r\nb", null)]
    [InlineData("a|...|c", "a\nc\n", null)]
    [InlineData("a|...|c", "a\nb\nc\nb\nc\n", null)]
    [InlineData("...", "", null)]
    [InlineData("/[0-9]+ walks/|...", "12 walks\nx\ny\n", null)]
    [InlineData("a|b", "a\nc\n", "expected 'b' at line 2, found 'c'")]
    [InlineData("a|b", "a\n", "expected 'b' at line 2, found the end")]
    [InlineData("a", "a\nb\n", "line 2 is more than was expected: 'b'")]
    [InlineData("/[0-9]/", "12\n", "expected '/[0-9]/' at line 1, found '12'")]
    [InlineData("...|z", "a\nb\n", "expected 'z' at line 3, found the end")]
    [InlineData("a", "a \n", "expected 'a' at line 1, found 'a '")]
    public void Comparison_finds_what_differs(string expected, string output, string? difference) =>
        new ExpectedOutput(expected.Split('|')).Compare(output).Should().Be(difference);
}
