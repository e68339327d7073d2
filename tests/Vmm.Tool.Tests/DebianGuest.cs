using System.Text;
using BootLinux;

namespace Vmm.Tool.Tests;

/// <summary>Debian's kernel, and an initial RAM disk of Debian's busybox with the script tests/guests/init.</summary>
internal static class DebianGuest
{
    private const string Install = "a Debian or Ubuntu host with network: apt-get update";
    private static readonly Lazy<(string Kernel, string Busybox)> s_files =
        new(() => DebianPackages.Fetch(Path.Combine(Path.GetTempPath(), "vmm-boot-linux")));

    public static string Kernel => s_files.Value.Kernel;

    /// <summary>Skips the test where the packages cannot be had.</summary>
    public static void Require()
    {
        if (!DebianPackages.Available)
            OutsideTool.Missing("debian", $"there is no apt-get and dpkg-deb. It needs {Install}");
        try
        {
            _ = s_files.Value;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            OutsideTool.Missing("debian", $"{e.Message} It needs {Install}");
        }
    }

    public static byte[] InitialRamDisk()
    {
        CpioArchive archive = new();
        foreach (string folder in (string[])["bin", "dev", "proc", "sys", "tmp"])
            archive.AddDirectory(folder);
        archive.AddFile("bin/busybox", File.ReadAllBytes(s_files.Value.Busybox));
        archive.AddLink("bin/sh", "busybox");
        string script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "guests", "init"));
        archive.AddFile("init", Encoding.ASCII.GetBytes(script.ReplaceLineEndings("\n")));
        return archive.Finish();
    }
}
