using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Vmm;

/// <summary>Anonymous private mappings (POSIX mmap).</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
internal static partial class UnixPages
{
    private const int ProtectionRead = 1;
    private const int ProtectionWrite = 2;
    private const int MapPrivate = 2;
    private const int LinuxMapAnonymous = 0x20;
    private const int LinuxMapNoReserve = 0x4000;
    private const int MacMapAnonymous = 0x1000;
    private const int MacMapNoReserve = 0x40;
    private const int LinuxAdviseHugePage = 14;
    private const nint MapFailed = -1;
    private const nuint LargePage = 2 * 1024 * 1024;

    internal static nint Allocate(nuint length, bool preferLargePages, out bool largePagesAdvised, out int error)
    {
        largePagesAdvised = false;
        // Large pages are only used where the mapping starts on one: over-allocate and cut the ends off.
        nuint slack = preferLargePages && length >= LargePage ? LargePage : 0;
        int flags = MapPrivate | (OperatingSystem.IsLinux() ? LinuxMapAnonymous | LinuxMapNoReserve : MacMapAnonymous | MacMapNoReserve);
        nint address = Map(0, length + slack, ProtectionRead | ProtectionWrite, flags, -1, 0);
        if (address == MapFailed)
        {
            error = Marshal.GetLastPInvokeError();
            return 0;
        }
        error = 0;
        if (slack != 0)
        {
            nint aligned = (nint)(((nuint)address + LargePage - 1) & ~(LargePage - 1));
            nuint head = (nuint)(aligned - address);
            if (head != 0)
                _ = Unmap(address, head);
            if (slack > head)
                _ = Unmap(aligned + (nint)length, slack - head);
            address = aligned;
            // A wish: a host without transparent large pages says no, and ordinary pages serve.
            largePagesAdvised = OperatingSystem.IsLinux() && Advise(address, length, LinuxAdviseHugePage) == 0;
        }
        return address;
    }

    internal static bool Free(nint address, nuint length) => Unmap(address, length) == 0;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);
}
