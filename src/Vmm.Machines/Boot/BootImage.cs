namespace Vmm.Machines;

/// <summary>Something that a machine can start from.</summary>
/// <remarks>
/// Images come from anywhere: whatever their bytes are, loading either succeeds or throws <see cref="ImageLoadException"/>.
/// </remarks>
public abstract record BootImage
{
    /// <summary>What to call the image in messages: a file's name, for instance.</summary>
    public string Name { get; init; } = "the image";

    /// <summary>Places the image in guest memory.</summary>
    /// <param name="memory">The guest's memory. It may have been partly written when loading fails.</param>
    /// <returns>The state in which the first vCPU starts.</returns>
    /// <exception cref="ImageLoadException">The image is damaged, of the wrong kind, or does not fit; says what to do.</exception>
    public abstract EntryState Load(IBootMemory memory);
}
