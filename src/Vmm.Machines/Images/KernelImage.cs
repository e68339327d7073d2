namespace Vmm.Machines;

/// <summary>
/// A kernel with its command line and modules: a Linux bzImage, a PVH ELF file or a multiboot image, told apart by its headers.
/// </summary>
/// <param name="Content">The file.</param>
public sealed record KernelImage(ReadOnlyMemory<byte> Content) : BootImage
{
    /// <summary>The command line; its characters must be ASCII.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>The modules. Linux takes one, its initial RAM disk.</summary>
    public IReadOnlyList<BootModule> Modules { get; init; } = [];

    /// <summary>Finds out what an image is, by its own headers.</summary>
    /// <param name="content">The file.</param>
    public static KernelFormat Detect(ReadOnlySpan<byte> content)
    {
        if (LinuxLoader.IsLinux(content))
            return KernelFormat.Linux;
        if (PvhLoader.IsPvh(content))
            return KernelFormat.Pvh;
        return MultibootLoader.FindHeader(content) >= 0 ? KernelFormat.Multiboot : KernelFormat.Unknown;
    }

    /// <inheritdoc/>
    public override EntryState Load(IBootMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        Placement placement = new(memory, Name, "load a kernel");
        if (Content.IsEmpty)
            throw placement.Refuse("it is empty", "Check the file");
        foreach (char character in CommandLine)
        {
            if (character is '\0' or > '\u007E')
                throw placement.Refuse($"the command line has the character U+{(int)character:X4}", "Use ASCII characters only");
        }
        switch (Detect(Content.Span))
        {
            case KernelFormat.Linux:
                return LinuxLoader.Load(this, memory);
            case KernelFormat.Pvh:
                return PvhLoader.Load(this, memory);
            case KernelFormat.Multiboot:
                return MultibootLoader.Load(this, memory);
            default:
                throw placement.Refuse(
                    ElfFile.HasMagic(Content.Span)
                        ? "it is an ELF file with neither a PVH note nor a multiboot header"
                        : "it has no header of a Linux bzImage, a PVH ELF file or a multiboot image",
                    ElfFile.HasMagic(Content.Span)
                        ? "Load it as a plain ELF executable instead"
                        : "Give one of these; a file without a format can be loaded as a flat image");
        }
    }
}
