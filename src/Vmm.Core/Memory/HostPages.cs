namespace Vmm;

/// <summary>The host's page allocator, whichever it has.</summary>
internal static class HostPages
{
    /// <summary>Allocates zeroed, page-aligned memory.</summary>
    /// <returns>Its address; 0 when the host refuses, with its code in <paramref name="error"/>.</returns>
    internal static nint Allocate(nuint length, bool preferLargePages, out bool largePagesAdvised, out int error)
    {
        if (OperatingSystem.IsWindows())
        {
            largePagesAdvised = false;
            return WindowsPages.Allocate(length, out error);
        }
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            return UnixPages.Allocate(length, preferLargePages, out largePagesAdvised, out error);
        largePagesAdvised = false;
        return PortablePages.Allocate(length, out error);
    }

    /// <summary>Gives it back.</summary>
    internal static bool Free(nint address, nuint length)
    {
        if (OperatingSystem.IsWindows())
            return WindowsPages.Free(address);
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            return UnixPages.Free(address, length);
        PortablePages.Free(address);
        return true;
    }
}
