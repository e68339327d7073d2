using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Zeroed native memory, aligned to 4096 bytes.</summary>
// SAFETY: freed once, by its owner, when no call uses it.
internal sealed unsafe class AlignedBytes : IDisposable
{
    private readonly nuint _length;

    public AlignedBytes(int length)
    {
        _length = (nuint)length;
        Address = (byte*)NativeMemory.AlignedAlloc(_length, 4096);
        Clear();
    }

    public byte* Address { get; private set; }

    public void Clear() => NativeMemory.Clear(Address, _length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Address);
        Address = null;
    }
}
