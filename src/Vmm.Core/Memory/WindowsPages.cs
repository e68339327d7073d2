using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Vmm;

/// <summary>Private committed pages (VirtualAlloc). Commitment is charged at once; physical pages come with the first touch.</summary>
[SupportedOSPlatform("windows")]
internal static partial class WindowsPages
{
    private const uint Commit = 0x1000;
    private const uint Reserve = 0x2000;
    private const uint Release = 0x8000;
    private const uint ReadWrite = 4;

    internal static nint Allocate(nuint length, out int error)
    {
        nint address = VirtualAlloc(0, length, Commit | Reserve, ReadWrite);
        error = address == 0 ? Marshal.GetLastPInvokeError() : 0;
        return address;
    }

    internal static bool Free(nint address) => VirtualFree(address, 0, Release) != 0;

    [LibraryImport("kernel32", EntryPoint = "VirtualAlloc", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", EntryPoint = "VirtualFree", SetLastError = true)]
    private static partial int VirtualFree(nint address, nuint length, uint type);
}
