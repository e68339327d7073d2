namespace Vmm;

/// <summary>
/// A choice of backend as users write it: <c>name</c> or <c>name:key=value,...</c>; <c>auto</c> leaves the choice to the catalogue.
/// </summary>
/// <param name="Name">Backend name, lower case.</param>
/// <param name="Options">Its options.</param>
public sealed record HypervisorSelection(string Name, HypervisorOptions Options)
{
    /// <summary>The name that stands for the best available backend.</summary>
    public const string AutomaticName = "auto";

    /// <summary>The best available backend.</summary>
    public static HypervisorSelection Automatic { get; } = new(AutomaticName, HypervisorOptions.Empty);

    /// <summary>Reads a choice.</summary>
    /// <exception cref="ArgumentException">The name is empty, an option is malformed, or <c>auto</c> has options.</exception>
    public static HypervisorSelection Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
#pragma warning disable CA1308 // names of backends are lower case
        string name = (colon < 0 ? text : text[..colon]).Trim().ToLowerInvariant();
#pragma warning restore CA1308
        if (name.Length == 0)
            throw new ArgumentException("The choice of a backend has no name: write name or name:key=value,...", nameof(text));
        HypervisorOptions options = colon < 0 ? HypervisorOptions.Empty : HypervisorOptions.Parse(text[(colon + 1)..]);
        if (name == AutomaticName && options.Values.Count != 0)
            throw new ArgumentException("'auto' takes no options: they belong to a backend, so name one.", nameof(text));
        return new(name, options);
    }

    /// <inheritdoc/>
    public override string ToString() => Options.Values.Count == 0 ? Name : $"{Name}:{Options}";
}
