namespace Vmm.Documentation.Tests;

/// <summary>A fenced block of a page.</summary>
/// <param name="Page">The page, as a path from the root.</param>
/// <param name="Number">Which of its page's blocks, from 1.</param>
/// <param name="Language">The word behind the fence; empty for none.</param>
/// <param name="Text">What stands in it, lines ended by \n.</param>
/// <param name="Directive">The comment <c>&lt;!-- … --&gt;</c> on the line before the fence, without its marks; null for none.</param>
public sealed record CodeBlock(string Page, int Number, string Language, string Text, string? Directive)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Page} block {Number}";
}
