using System.Diagnostics.CodeAnalysis;
using Vmm.Machines;

namespace Vmm;

/// <summary>FILE@ADDRESS[:ENTRY].</summary>
internal sealed record FlatSource(string File, ulong Address, ulong? Entry)
{
    internal static bool TryParse(string text, [NotNullWhen(true)] out FlatSource? source)
    {
        source = null;
        int at = text.LastIndexOf('@');
        if (at <= 0)
            return false;
        string[] parts = text[(at + 1)..].Split(':');
        ulong entry = 0;
        if (parts.Length > 2 || !MemorySize.TryParseNumber(parts[0], out ulong address) || (parts.Length == 2 && !MemorySize.TryParseNumber(parts[1], out entry)))
            return false;
        source = new(text[..at], address, parts.Length == 2 ? entry : null);
        return true;
    }
}
