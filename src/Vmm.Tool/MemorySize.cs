namespace Vmm.Tool;

/// <summary>Sizes and numbers of the command line.</summary>
internal static class MemorySize
{
    /// <summary>Parses a size in bytes with an optional suffix K, M, G or T.</summary>
    /// <exception cref="UsageException">It is no size, or too large.</exception>
    public static ulong Parse(string text, string option) => Machines.MemorySize.TryParse(text, out ulong size)
        ? size
        : throw new UsageException($"{option} '{text}' is no size: write a number with an optional K, M, G or T, such as 256M.");

    /// <summary>Parses a decimal or 0x-number.</summary>
    /// <exception cref="UsageException">It is no number up to <paramref name="maximum"/>.</exception>
    public static ulong ParseNumber(string text, ulong maximum, string option) => Machines.MemorySize.TryParseNumber(text, out ulong value) && value <= maximum
        ? value
        : throw new UsageException($"{option} '{text}' is no number from 0 to 0x{maximum:X}.");
}
