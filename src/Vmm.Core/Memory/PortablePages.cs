using System.Runtime.InteropServices;

namespace Vmm;

/// <summary>The C heap, for hosts without a page allocator that we know (a browser, BSD).</summary>
internal static class PortablePages
{
    private const int OutOfMemory = 12;

    internal static unsafe nint Allocate(nuint length, out int error)
    {
        try
        {
            // SAFETY: the block has exactly the length that is cleared.
            void* block = NativeMemory.AlignedAlloc(length, (nuint)NativeGuestMemory.PageSize);
            NativeMemory.Clear(block, length);
            error = 0;
            return (nint)block;
        }
        catch (OutOfMemoryException)
        {
            error = OutOfMemory;
            return 0;
        }
    }

    // SAFETY: the address came from Allocate and is given back once, by the handle that owned it.
    internal static unsafe void Free(nint address) => NativeMemory.AlignedFree((void*)address);
}
