using System.Text;

namespace BootLinux;

/// <summary>An initial RAM disk with busybox and a few lines of init.</summary>
internal static class InitialRamDisk
{
    private const string Init = """
        #!/bin/busybox sh
        /bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin
        /bin/busybox --install -s
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        mount -t devtmpfs dev /dev 2>/dev/null
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
        echo "Hello from $(uname -s) $(uname -r) on $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2)"
        echo "6 * 7 = $(expr 6 \* 7); up $(cut -d' ' -f1 /proc/uptime) s"
        case "$(cat /proc/cmdline)" in *end=shell*) echo "Type 'reboot -f' to leave."; setsid cttyhack sh; reboot -f;; esac
        reboot -f

        """;

    public static byte[] Build(string busybox)
    {
        CpioArchive archive = new();
        archive.AddDirectory("bin");
        archive.AddDirectory("dev");
        archive.AddDirectory("proc");
        archive.AddDirectory("sys");
        archive.AddFile("bin/busybox", File.ReadAllBytes(busybox));
        archive.AddLink("bin/sh", "busybox");
        archive.AddFile("init", Encoding.ASCII.GetBytes(Init.ReplaceLineEndings("\n")));
        return archive.Finish();
    }
}
