namespace Vmm.Machines;

/// <summary>A file that is put in memory beside a kernel: an initial RAM disk, a multiboot or PVH module.</summary>
/// <param name="Content">The bytes.</param>
/// <param name="Name">What to call it, in messages and (multiboot, PVH) to the kernel.</param>
public sealed record BootModule(ReadOnlyMemory<byte> Content, string Name);
