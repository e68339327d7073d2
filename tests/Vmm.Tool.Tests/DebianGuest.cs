using System.Text;
using BootLinux;

namespace Vmm.Tool.Tests;

/// <summary>Debian's kernel, and an initial RAM disk of Debian's busybox with the script tests/guests/init.</summary>
internal static class DebianGuest
{
    private const string Install = "a Debian or Ubuntu host with network: apt-get update";
    private static readonly Lazy<(string Kernel, string Busybox)> s_files =
        new(() => DebianPackages.Fetch(Path.Combine(Path.GetTempPath(), "vmm-boot-linux")));

    private static string Drivers => Path.Combine(
        Path.GetDirectoryName(Kernel)!, "..", "lib", "modules", Path.GetFileName(Kernel)["vmlinuz-".Length..], "kernel", "drivers");

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

    /// <summary>The virtio drivers, in the order in which they are loaded; all but the transport's are the same.</summary>
    public static IReadOnlyList<string> VirtioModules(string transport) =>
    [
        "virtio/virtio_ring", "virtio/virtio",
        .. transport == "mmio"
            ? (string[])["virtio/virtio_mmio"]
            : ["virtio/virtio_pci_modern_dev", "virtio/virtio_pci_legacy_dev", "virtio/virtio_pci"],
        "block/virtio_blk", "char/hw_random/virtio-rng",
    ];

    /// <param name="modules">Kernel modules that go to /mod, by their place below the kernel's drivers.</param>
    public static byte[] InitialRamDisk(params IReadOnlyList<string> modules)
    {
        CpioArchive archive = new();
        foreach (string folder in (string[])["bin", "dev", "proc", "sys", "tmp"])
            archive.AddDirectory(folder);
        archive.AddFile("bin/busybox", File.ReadAllBytes(s_files.Value.Busybox));
        archive.AddLink("bin/sh", "busybox");
        if (modules.Count > 0)
            archive.AddDirectory("mod");
        foreach (string module in modules)
            archive.AddFile($"mod/{module[(module.LastIndexOf('/') + 1)..]}.ko", File.ReadAllBytes(Path.Combine(Drivers, $"{module}.ko")));
        string script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "guests", "init"));
        archive.AddFile("init", Encoding.ASCII.GetBytes(script.ReplaceLineEndings("\n")));
        return archive.Finish();
    }
}
