namespace Vmm.Conformance;

/// <summary>Which quirk makes a case absent, and what the report says of it.</summary>
internal static class AbsentQuirk
{
    /// <summary>The quirk that takes a case away, or null. One that shows nothing takes nothing away.</summary>
    public static Quirk? Find(HypervisorCapabilities capabilities, ConformanceCase conformanceCase)
    {
        foreach (Quirk wanted in conformanceCase.AbsentWith)
        {
            foreach (Quirk declared in capabilities.Quirks)
            {
                if (declared.Name == wanted.Name && declared.Evidence.Count != 0)
                    return declared;
            }
        }
        return null;
    }

    public static string Explain(Quirk quirk) => $"The host has the quirk '{quirk.Name}': {quirk.Description}{Evidence(quirk)}";

    public static string Explain(HypervisorCapabilities capabilities, Capability missing, string refusal)
    {
        string text = $"The backend does not declare '{missing.Name}'.";
        if (refusal.Length != 0)
            text += $" Asked for it, it said: {refusal}";
        return capabilities.Quirks.FirstOrDefault(quirk => quirk.Name == missing.Name) is { } quirk ? $"{text} {quirk.Description}{Evidence(quirk)}" : text;
    }

    private static string Evidence(Quirk quirk) => string.Concat(quirk.Evidence.Select(evidence => $"{Environment.NewLine}    {evidence}"));
}
