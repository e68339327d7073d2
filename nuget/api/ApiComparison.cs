namespace Vmm.PublicApi;

/// <summary>What of a public surface breaks those who built upon an earlier one.</summary>
internal static class ApiComparison
{
    /// <summary>
    /// Everything taken away or changed, and of what was added that which implementers and derived types must follow: abstract members of a known
    /// type, and required members. Other additions break nobody.
    /// </summary>
    public static IReadOnlyList<string> Breaks(SortedDictionary<string, ApiType> before, SortedDictionary<string, ApiType> now)
    {
        List<string> breaks = [];
        foreach (ApiType old in before.Values)
        {
            if (!now.TryGetValue(old.Name, out ApiType? current))
            {
                breaks.Add($"gone: {old.Header}");
                continue;
            }

            // To open a sealed class takes nothing from anybody.
            if (current.Header != old.Header && current.Header != old.Header.Replace("sealed class", "class", StringComparison.Ordinal))
                breaks.Add($"changed: {old.Header} is now {current.Header}");
            foreach (string member in old.Members.Except(current.Members))
                breaks.Add($"gone or changed: {old.Name}: {member}");
            foreach (string member in current.Members.Except(old.Members).Where(Obliges))
                breaks.Add($"added, and everybody must follow: {old.Name}: {member}");
        }

        return breaks;
    }

    /// <summary>How many types and members are new.</summary>
    public static int Additions(SortedDictionary<string, ApiType> before, SortedDictionary<string, ApiType> now) => now.Values.Sum(current =>
        before.TryGetValue(current.Name, out ApiType? old) ? current.Members.Except(old.Members).Count() : 1 + current.Members.Count);

    private static bool Obliges(string member) =>
        member.Split(' ').TakeWhile(word => word is "required" or "protected" or "static" or "abstract").Any(word => word is "required" or "abstract");
}
