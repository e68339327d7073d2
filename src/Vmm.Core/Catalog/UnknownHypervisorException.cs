namespace Vmm;

/// <summary>No backend of the catalogue has the name that was asked for.</summary>
public sealed class UnknownHypervisorException : ArgumentException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="name">The name asked for.</param>
    /// <param name="known">The names there are.</param>
    public UnknownHypervisorException(string name, IReadOnlyList<string> known)
        : base(known.Count == 0 ? $"There is no backend '{name}': the catalogue is empty." : $"There is no backend '{name}'; there are {string.Join(", ", known)}.")
    {
        Name = name;
        Known = known;
    }

    /// <summary>The name asked for.</summary>
    public string Name { get; }

    /// <summary>The names there are.</summary>
    public IReadOnlyList<string> Known { get; }
}
