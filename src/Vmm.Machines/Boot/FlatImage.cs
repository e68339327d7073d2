namespace Vmm.Machines;

/// <summary>Bytes without a format, put at an address as they are.</summary>
/// <param name="Content">The bytes.</param>
/// <param name="Address">The guest-physical address of the first.</param>
public sealed record FlatImage(ReadOnlyMemory<byte> Content, ulong Address) : BootImage
{
    private const string Attempted = "load a flat image";

    /// <summary>The guest-physical address of the first instruction; null for <see cref="Address"/>.</summary>
    public ulong? Entry { get; init; }

    /// <summary>The mode it starts in; null for real mode where the entry is below 1 MiB, else protected mode.</summary>
    public EntryMode? Mode { get; init; }

    /// <inheritdoc/>
    public override EntryState Load(IBootMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        Placement placement = new(memory, Name, Attempted);
        if (Content.IsEmpty)
            throw placement.Refuse("it is empty", "Check the file");
        ulong length = (ulong)Content.Length;
        placement.Take(Address, length, "the image");
        ulong entry = Entry ?? Address;
        EntryMode mode = Mode ?? (entry < 0x10_0000 ? EntryMode.Real : EntryMode.Protected);
        if (!memory.Map.IsRam(entry, 1))
            throw placement.Refuse($"its entry 0x{entry:X} is not in RAM", "Correct the entry address, or give the machine more memory");
        ulong limit = mode == EntryMode.Real ? 0x10_0000ul : 0x1_0000_0000;
        if (entry >= limit)
            throw placement.Refuse(
                $"its entry 0x{entry:X} cannot be reached in {mode.ToString().ToLowerInvariant()} mode",
                "Choose a lower address");
        memory.Write(Address, Content.Span);
        return mode switch
        {
            EntryMode.Real => EntryStates.Real(entry),
            EntryMode.Protected => EntryStates.Protected(placement, entry).WithStack(placement),
            EntryMode.Long => EntryStates.Long(placement, entry).WithStack(placement),
            _ => throw new InvalidOperationException($"There is no entry mode {mode}."),
        };
    }
}
