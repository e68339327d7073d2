namespace Vmm.Machines.Tests;

/// <summary>A bootable image of Debian's GRUB with its functional tests, made by grub-mkrescue: it boots as a disk and as a CD.</summary>
internal static class GrubImage
{
    private const string Name = "grub";
    private const string Packages = "grub-pc-bin grub-common xorriso mtools";
    private const string Modules = "/usr/lib/grub/i386-pc";

    /// <summary>The tests, by the names of their modules without "_test".</summary>
    public static IReadOnlyList<string> Tests { get; } = ["setjmp", "div", "mul", "shift", "cmp", "ctz", "bswap"];

    /// <summary>Makes the image in a folder; skips the test where GRUB is not installed.</summary>
    /// <returns>The image's path.</returns>
    public static string Build(string folder)
    {
        foreach (string module in Tests.Select(test => $"{Modules}/{test}_test.mod").Append($"{Modules}/boot_hybrid.img"))
        {
            if (!File.Exists(module))
                OutsideTool.Missing(Name, $"there is no {module}. Install it, on Debian: apt-get install {Packages}");
        }
        OutsideTool.Require(Name, "xorriso", Packages);
        OutsideTool.Require(Name, "mformat", Packages);
        string tree = Path.Combine(folder, "tree"), image = Path.Combine(folder, "grub.iso");
        string configuration = Directory.CreateDirectory(Path.Combine(tree, "boot", "grub")).FullName;
        File.WriteAllText(
            Path.Combine(configuration, "grub.cfg"),
            $"""
            serial --unit=0 --speed=115200
            terminal_input serial
            terminal_output serial
            for name in {string.Join(' ', Tests)}; do
              insmod $name"_test"
            done
            functional_test
            echo "GRUB: done"
            halt

            """.ReplaceLineEndings("\n"));
        OutsideTool.Run(
            Name, Packages, folder, "grub-mkrescue", "--output", image, $"--directory={Modules}", "--locales=", "--fonts=", "--themes=",
            $"--install-modules=normal serial terminal echo halt functional_test {string.Join(' ', Tests.Select(test => test + "_test"))}",
            tree);
        return image;
    }
}
