using System.IO.Compression;

namespace Vmm.Packages.Tests;

/// <summary>The packages, made once for a run of the tests by the script that makes them for everybody.</summary>
public sealed class PackedFeed
{
    private static readonly Lock s_gate = new();
    private static bool s_packed;

    /// <summary>Makes the packages, or skips the test where that cannot be.</summary>
    public PackedFeed()
    {
        lock (s_gate)
        {
            if (s_packed || Repository.Configuration != "Release" || OperatingSystem.IsWindows())
                return;
            OutsideTool.Run("bash", "bash", Repository.Root, "bash", Repository.At("nuget", "pack"), "--no-build");
            s_packed = true;
        }
    }

    /// <summary>Skips where no packages were made.</summary>
    public static void Require()
    {
        if (!s_packed)
            OutsideTool.Missing("packages", "packages are made from Release builds by a script for bash. Run the tests with: -c Release");
    }

    /// <summary>Opens a package, or its symbols.</summary>
    public static ZipArchive Open(string name, string extension = "nupkg")
    {
        Require();
        string[] files = [.. Directory.GetFiles(Repository.At("nuget", "out"), $"*.{extension}")
            .Where(file => Path.GetFileName(file).StartsWith($"{name}.", StringComparison.Ordinal) && char.IsAsciiDigit(Path.GetFileName(file)[name.Length + 1]))];
        return ZipFile.OpenRead(files.Should().ContainSingle("{0} is packed once", name).Subject);
    }
}
