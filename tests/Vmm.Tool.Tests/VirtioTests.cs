using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Vmm.Tool.Tests;

/// <summary>Debian's own drivers on virtio disks and the source of random numbers.</summary>
public sealed class VirtioTests : ToolTest
{
    private const int Half = 4 << 20;
    private const int Sector = 512;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private static string Append(string transport, string end)
    {
        string modules = string.Join(',', DebianGuest.VirtioModules(transport).Select(module => module[(module.LastIndexOf('/') + 1)..]));
        return $"console=ttyS0 quiet panic=-1 reboot=k mods={modules} work=blk,hwrng end={end}";
    }

    private string WriteRamDisk(string transport) =>
        Write("initramfs.cpio", DebianGuest.InitialRamDisk(DebianGuest.VirtioModules(transport)));

    private byte[] WriteDisk(string name)
    {
        byte[] content = new byte[2 * Half];
        new Random(7).NextBytes(content);
        Write(name, content);
        return content;
    }

#pragma warning disable CA5351 // the guest's script prints MD5; nothing here is a secret
    private static string Digest(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content.AsSpan(0, Half)));
#pragma warning restore CA5351

    [SkippableFact]
    public void Debians_drivers_find_memory_mapped_devices_and_respect_a_read_only_disk()
    {
        DebianGuest.Require();
        byte[] first = WriteDisk("first.img");
        byte[] second = WriteDisk("second.img");

        ToolResult result = Run(
            "run", "--timeout", "120", "--virtio", "mmio", "--disk", PathOf("first.img") + ",readonly", "--disk", PathOf("second.img"),
            "--kernel", DebianGuest.Kernel, "--initrd", WriteRamDisk("mmio"), "--append", Append("mmio", "reboot"));

        result.Status.Should().Be(0, "the guest said {0} and the tool {1}", result.Output, result.Error);
        string[] lines = result.Output.Split("\r\n");
        lines.Should().ContainInOrder($"OUT: {Digest(first)}  -", "OUT: 64", "GUEST: done");
        File.ReadAllBytes(PathOf("first.img")).Should().Equal(first);
        File.ReadAllBytes(PathOf("second.img")).Should().Equal(second);
    }

    [SkippableFact]
    public async Task What_a_guest_wrote_and_flushed_outlives_the_death_of_the_monitor()
    {
        DebianGuest.Require();
        byte[] content = WriteDisk("disk.img");
        using Process monitor = Start(
            "run", "--timeout", "120", "--disk", PathOf("disk.img"), "--kernel", DebianGuest.Kernel, "--initrd", WriteRamDisk("pci"),
            "--append", Append("pci", "shell"));
        StringBuilder said = new();
        try
        {
            await ReadUntil(monitor, said, "GUEST: done").WaitAsync(s_patience);
            await monitor.StandardInput.WriteAsync("echo kept | dd of=/dev/vda bs=512 seek=9 conv=sync,notrunc; sync; echo flu''shed\n");
            await monitor.StandardInput.FlushAsync();
            await ReadUntil(monitor, said, "flushed").WaitAsync(s_patience);
        }
        finally
        {
            monitor.Kill();
        }
        await monitor.WaitForExitAsync().WaitAsync(s_patience);

        said.ToString().Split("\r\n").Should().ContainInOrder($"OUT: {Digest(content)}  -", "OUT: vmm-was-here", "OUT: 64");
        byte[] left = File.ReadAllBytes(PathOf("disk.img"));
        "vmm-was-here\n"u8.CopyTo(content.AsSpan(2 * Sector));
        content.AsSpan((2 * Sector) + 13, Sector - 13).Clear();
        "kept\n"u8.CopyTo(content.AsSpan(9 * Sector));
        content.AsSpan((9 * Sector) + 5, Sector - 5).Clear();
        left.AsSpan().SequenceEqual(content).Should().BeTrue("both sectors are there and nothing else changed");
    }

    private static Process Start(params string[] arguments)
    {
        string tool = Path.Combine(AppContext.BaseDirectory, "Vmm.Tool.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [tool, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    private static async Task ReadUntil(Process process, StringBuilder said, string text)
    {
        int from = said.Length;
        char[] buffer = new char[4096];
        while (!said.ToString(from, said.Length - from).Contains(text, StringComparison.Ordinal))
        {
            int count = await process.StandardOutput.ReadAsync(buffer);
            if (count == 0)
                throw new InvalidOperationException($"The monitor ended after: {said}");
            said.Append(buffer, 0, count);
        }
    }
}
