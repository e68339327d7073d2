using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace BootLinux;

/// <summary>Fetches a kernel and a static busybox by their Debian package names, without installing anything.</summary>
internal static class DebianPackages
{
    private const string Prefix = "linux-image-", KernelPackage = Prefix + "cloud-amd64", BusyboxPackage = "busybox-static";

    /// <summary>Whether the host has Debian's package tools.</summary>
    public static bool Available => OperatingSystem.IsLinux() && OnPath("apt-get") && OnPath("dpkg-deb");

    /// <summary>How far a download is.</summary>
    /// <param name="Package">The package.</param>
    /// <param name="Done">Bytes that are there.</param>
    /// <param name="Total">Bytes in all; 0 where apt does not say.</param>
    public readonly record struct Download(string Package, long Done, long Total);

    /// <summary>Downloads and unpacks both packages below a folder, unless they are there already.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="progress">Told how far each download is, on the calling thread, whenever it has come further; null = nobody.</param>
    /// <returns>Paths of the kernel and of busybox.</returns>
    public static (string Kernel, string Busybox) Fetch(string folder, Action<Download>? progress = null)
    {
        Directory.CreateDirectory(folder);
        string kernel = Find(folder, "boot", "vmlinuz-*") ?? Unpack(folder, NewestKernel(), "boot", "vmlinuz-*", progress);
        string busybox = Find(folder, "", "busybox") ?? Unpack(folder, BusyboxPackage, "", "busybox", progress);
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

    private static string Unpack(string folder, string package, string below, string pattern, Action<Download>? progress)
    {
        long total = progress is null ? 0 : SizeOf(package), done = 0;
        progress?.Invoke(new(package, 0, total));
        // The folder is the caller's: apt's own user may not be able to write there.
        Run(folder, progress is null ? null : Tell, "apt-get", "-o", "APT::Sandbox::User=root", "download", package);
        string archive = FindArchive(folder, package)?.FullName ?? throw new InvalidOperationException($"apt-get downloaded no {package}.");
        Run(folder, "dpkg-deb", "-x", archive, folder);
        File.Delete(archive);
        return Find(folder, below, pattern) ?? throw new InvalidOperationException($"The package {package} holds no {pattern}.");

        void Tell()
        {
            long length = FindArchive(folder, package)?.Length ?? 0;
            if (length != done)
                progress(new(package, done = length, total));
        }
    }

    private static FileInfo? FindArchive(string folder, string package) =>
        new DirectoryInfo(folder).GetFiles(package + "_*.deb").OrderByDescending(file => file.LastWriteTimeUtc).FirstOrDefault();

    private static long SizeOf(string package)
    {
        const string Size = "Size: ";
        string? line = Run(Environment.CurrentDirectory, "apt-cache", "show", "--no-all-versions", package).Split('\n')
            .FirstOrDefault(line => line.StartsWith(Size, StringComparison.Ordinal));
        return line is not null && long.TryParse(line.AsSpan(Size.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long size) ? size : 0;
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

    private static string Run(string folder, string tool, params string[] arguments) => Run(folder, null, tool, arguments);

    private static string Run(string folder, Action? meanwhile, string tool, params string[] arguments)
    {
        ProcessStartInfo start = new(tool, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            while (meanwhile is not null && !process.WaitForExit(100))
                meanwhile();
            process.WaitForExit();
            meanwhile?.Invoke();
            return process.ExitCode == 0
                ? output.Result
                : throw new InvalidOperationException($"'{tool} {string.Join(' ', arguments)}' ended with status {process.ExitCode}.");
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"'{tool}' could not be started: {e.Message}", e);
        }
    }
}
