namespace Vmm.Machines;

/// <summary>
/// An ELF executable started directly, segments at their physical addresses: a 32-bit one in flat protected mode, a 64-bit one in
/// long mode with the first 4 GiB mapped to themselves. Interrupts are off and there is a stack of 16 KiB.
/// </summary>
/// <param name="Content">The file.</param>
public sealed record ElfImage(ReadOnlyMemory<byte> Content) : BootImage
{
    /// <inheritdoc/>
    public override EntryState Load(IBootMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        Placement placement = new(memory, Name, "load an ELF executable");
        ElfFile file = ElfFile.Parse(Content.Span, placement);
        file.LoadSegments(Content.Span, placement);
        ulong entry = file.PhysicalEntry(placement);
        if (entry >= 0x1_0000_0000)
            throw placement.Refuse($"its entry 0x{entry:X} is not below 4 GiB", "Link it lower");
        EntryState state = file.Is64 ? EntryStates.Long(placement, entry) : EntryStates.Protected(placement, entry);
        return state.WithStack(placement);
    }
}
