namespace Vmm.Machines;

/// <summary>Memory for looking at an image without loading it.</summary>
internal sealed class NoMemory : IBootMemory
{
    public static readonly NoMemory Instance = new();

    public MemoryMap Map { get; } = new(MemoryMap.MinimumSize);

    public void Write(ulong address, ReadOnlySpan<byte> data)
    {
    }

    public void Clear(ulong address, ulong length)
    {
    }
}
