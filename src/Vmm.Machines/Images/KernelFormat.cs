namespace Vmm.Machines;

/// <summary>The boot protocol that a kernel image's own headers ask for.</summary>
public enum KernelFormat
{
    /// <summary>None that is known here.</summary>
    Unknown,

    /// <summary>A Linux bzImage, started at its 64-bit entry.</summary>
    Linux,

    /// <summary>An ELF file with the note of a 32-bit PVH entry.</summary>
    Pvh,

    /// <summary>A multiboot (version 1) image.</summary>
    Multiboot,
}
