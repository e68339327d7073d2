namespace Vmm.Machines;

/// <summary>An image cannot be loaded: it is not what it should be, is damaged, or does not fit the machine.</summary>
public sealed class ImageLoadException : Exception
{
    /// <summary>Makes an exception whose message is built from its parts.</summary>
    /// <param name="image">The image, as the user named it.</param>
    /// <param name="attempted">What was attempted, e.g. "load it as a Linux kernel".</param>
    /// <param name="found">What was found instead of what was needed.</param>
    /// <param name="hint">What to do about it.</param>
    public ImageLoadException(string image, string attempted, string found, string hint)
        : base($"Cannot {attempted} ({image}): {found}. {hint.TrimEnd('.')}.")
    {
        Image = image;
        Attempted = attempted;
        Found = found;
        Hint = hint;
    }

    /// <summary>The image, as the user named it.</summary>
    public string Image { get; }

    /// <summary>What was attempted.</summary>
    public string Attempted { get; }

    /// <summary>What was found.</summary>
    public string Found { get; }

    /// <summary>What to do about it.</summary>
    public string Hint { get; }
}
