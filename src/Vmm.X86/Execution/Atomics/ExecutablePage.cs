using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>A page of host machine code that stays for the life of the process; never writable and executable at once.</summary>
// SAFETY: the page is fresh, holds the code, and is handed out only after it became executable.
internal static unsafe partial class ExecutablePage
{
    private const int PageSize = 4096;
    private const int Read = 1, Write = 2, Execute = 4;
    private const uint Commit = 0x3000, Release = 0x8000, ReadWrite = 4, ExecuteRead = 0x20;

    /// <summary>Makes it. Null where the host does not allow such memory.</summary>
    public static nint TryMake(ReadOnlySpan<byte> code)
    {
        try
        {
            return OperatingSystem.IsWindows() ? MakeOnWindows(code) : MakeOnUnix(code);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return 0;
        }
    }

    private static nint MakeOnUnix(ReadOnlySpan<byte> code)
    {
        int anonymousPrivate = OperatingSystem.IsMacOS() ? 0x1002 : 0x22;
        nint page = Map(0, PageSize, Read | Write, anonymousPrivate, -1, 0);
        if (page == -1)
            return 0;
        code.CopyTo(new Span<byte>((void*)page, PageSize));
        if (Protect(page, PageSize, Read | Execute) == 0)
            return page;
        _ = Unmap(page, PageSize);
        return 0;
    }

    private static nint MakeOnWindows(ReadOnlySpan<byte> code)
    {
        nint page = VirtualAlloc(0, PageSize, Commit, ReadWrite);
        if (page == 0)
            return 0;
        code.CopyTo(new Span<byte>((void*)page, PageSize));
        if (VirtualProtect(page, PageSize, ExecuteRead, out _) != 0)
            return page;
        _ = VirtualFree(page, 0, Release);
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    private static partial int VirtualProtect(nint address, nuint size, uint protection, out uint before);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(nint address, nuint size, uint type);
}
