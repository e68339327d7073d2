namespace Vmm;

/// <summary>A part of a processor's state that is saved, restored, compared and reset as one.</summary>
public abstract class StateElement
{
    private protected StateElement(string id, int version, string description)
    {
        Id = id;
        Version = version;
        Description = description;
    }

    /// <summary>Stable id, kebab case.</summary>
    public string Id { get; }

    /// <summary>Grows when the set or the meaning of the values changes.</summary>
    public int Version { get; }

    /// <summary>One sentence.</summary>
    public string Description { get; }

    /// <summary>Two captures of the same state are equal. Not so for what runs on by itself, such as the time-stamp counter.</summary>
    public virtual bool IsComparable => true;

    /// <summary>The group that the values live in; <see cref="RegisterGroups.None"/> for what has a way of its own.</summary>
    internal virtual RegisterGroups Group => RegisterGroups.None;

    /// <summary>Whether a processor has this element: by the backend's capabilities and the partition's profile.</summary>
    public virtual bool IsPresent(IVirtualProcessor processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Id} (version {Version})";

    /// <summary>Takes the values.</summary>
    /// <param name="processor">The processor, at rest.</param>
    /// <param name="state">Its registers, with all groups that it has.</param>
    internal abstract ElementState Capture(IVirtualProcessor processor, in ProcessorState state);

    /// <summary>The values after power-on.</summary>
    /// <param name="processor">The processor.</param>
    /// <param name="state">The power-on registers.</param>
    internal abstract ElementState PowerOn(IVirtualProcessor processor, in ProcessorState state);

    /// <summary>Checks values and puts them where they can be applied; nothing of the processor changes.</summary>
    /// <returns>What is left to do after the registers have been set, or null.</returns>
    internal abstract Action<IVirtualProcessor>? Load(IVirtualProcessor processor, ElementState values, ref ProcessorState state);
}
