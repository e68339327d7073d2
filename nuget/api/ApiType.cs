namespace Vmm.PublicApi;

/// <summary>One type that other assemblies can see, as text.</summary>
/// <param name="Name">Its full name, with the names of its type parameters.</param>
/// <param name="Header">Modifiers, kind and name, e.g. <c>sealed class Vmm.PartitionOptions</c>.</param>
/// <param name="Members">What it is derived from and its visible members, one text each.</param>
internal sealed record ApiType(string Name, string Header, SortedSet<string> Members)
{
    /// <summary>Reads listings as <see cref="Write"/> makes them: a header begins a line, its members follow indented.</summary>
    public static SortedDictionary<string, ApiType> Parse(string text)
    {
        SortedDictionary<string, ApiType> types = new(StringComparer.Ordinal);
        ApiType? current = null;
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("  ", StringComparison.Ordinal))
            {
                (current ?? throw new FormatException($"A member stands before any type: {line}")).Members.Add(line[2..]);
                continue;
            }

            int where = line.IndexOf(" where ", StringComparison.Ordinal);
            string head = where < 0 ? line : line[..where];
            int generic = head.IndexOf('<', StringComparison.Ordinal);
            string name = head[(head.LastIndexOf(' ', generic < 0 ? head.Length - 1 : generic) + 1)..];
            current = new ApiType(name, line, new SortedSet<string>(StringComparer.Ordinal));
            types.Add(name, current);
        }

        return types;
    }

    /// <summary>Writes types, sorted by name.</summary>
    public static string Write(IEnumerable<ApiType> types) => string.Concat(types.OrderBy(type => type.Name, StringComparer.Ordinal)
        .Select(type => $"{type.Header}\n{string.Concat(type.Members.Select(member => $"  {member}\n"))}"));
}
