using System.Runtime.InteropServices;

namespace Vmm.X86.Tests.NativeOracle;

/// <summary>Pages that may be written and executed.</summary>
internal sealed unsafe partial class ExecutableMemory : IDisposable
{
    private readonly nuint _length;
    private nint _address;

    public ExecutableMemory(int length)
    {
        _length = (nuint)length;
        _address = OperatingSystem.IsWindows()
            ? VirtualAlloc(0, _length, 0x3000, 0x40)
            : MemoryMap(0, _length, 7, OperatingSystem.IsMacOS() ? 0x1002 : 0x22, -1, 0);
        if (_address is 0 or -1)
            throw new IOException($"the system refused {length} bytes of executable memory (error {Marshal.GetLastPInvokeError()})");
    }

    public nint Address => _address;

    // SAFETY: the span covers exactly the pages mapped by the constructor, until Dispose.
    public Span<byte> Bytes => new((void*)_address, (int)_length);

    public void Dispose()
    {
        nint address = _address;
        _address = 0;
        if (address == 0)
            return;
        if (OperatingSystem.IsWindows())
            VirtualFree(address, 0, 0x8000);
        else
            MemoryUnmap(address, _length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nuint length, uint type);
}
