using System.ComponentModel;
using System.Diagnostics;

namespace BootLinux;

/// <summary>Fetches a kernel and a static busybox by their Debian package names, without installing anything.</summary>
internal static class DebianPackages
{
    private const string Prefix = "linux-image-", KernelPackage = Prefix + "cloud-amd64", BusyboxPackage = "busybox-static";

    /// <summary>Whether the host has Debian's package tools.</summary>
    public static bool Available => OperatingSystem.IsLinux() && OnPath("apt-get") && OnPath("dpkg-deb");

    /// <summary>Downloads and unpacks both packages below a folder, unless they are there already.</summary>
    /// <returns>Paths of the kernel and of busybox.</returns>
    public static (string Kernel, string Busybox) Fetch(string folder)
    {
        Directory.CreateDirectory(folder);
        string kernel = Find(folder, "boot", "vmlinuz-*") ?? Unpack(folder, NewestKernel(), "boot", "vmlinuz-*");
        string busybox = Find(folder, "", "busybox") ?? Unpack(folder, BusyboxPackage, "", "busybox");
        return (kernel, busybox);
    }

    // The plain name is a meta package; what it depends on is the kernel.
    private static string NewestKernel()
    {
        string depends = Run(Environment.CurrentDirectory, "apt-cache", "depends", KernelPackage);
        foreach (string word in depends.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.Length > Prefix.Length && word.StartsWith(Prefix, StringComparison.Ordinal) && char.IsAsciiDigit(word[Prefix.Length]))
                return word;
        }
        throw new InvalidOperationException($"apt-cache knows no {KernelPackage}: run 'apt-get update' once, or pass --kernel FILE.");
    }

    private static string Unpack(string folder, string package, string below, string pattern)
    {
        Console.Error.WriteLine($"downloading the Debian package {package} ...");
        // The folder is the caller's: apt's own user may not be able to write there.
        Run(folder, "apt-get", "-o", "APT::Sandbox::User=root", "download", package);
        string archive = Directory.GetFiles(folder, package + "_*.deb").OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault()
            ?? throw new InvalidOperationException($"apt-get downloaded no {package}.");
        Run(folder, "dpkg-deb", "-x", archive, folder);
        File.Delete(archive);
        return Find(folder, below, pattern) ?? throw new InvalidOperationException($"The package {package} holds no {pattern}.");
    }

    private static string? Find(string folder, string below, string pattern)
    {
        string place = Path.Combine(folder, below);
        if (!Directory.Exists(place))
            return null;
        EnumerationOptions depth = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3 };
        return Directory.EnumerateFiles(place, pattern, depth).Order(StringComparer.Ordinal).LastOrDefault();
    }

    private static bool OnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static string Run(string folder, string tool, params string[] arguments)
    {
        ProcessStartInfo start = new(tool, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
        try
        {
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"'{tool} {string.Join(' ', arguments)}' ended with status {process.ExitCode}.");
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"'{tool}' could not be started: {e.Message}", e);
        }
    }
}
