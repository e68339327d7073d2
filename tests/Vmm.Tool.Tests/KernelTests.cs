using System.Globalization;

namespace Vmm.Tool.Tests;

/// <summary>Nine programs by gcc and nasm, as multiboot images that enter long mode themselves. The results are QEMU's.</summary>
public sealed class KernelTests : ToolTest
{
    [SkippableTheory]
    [InlineData("alu", 300_000, "d915dd61e75955d7")]
    [InlineData("fib", 22, "000000000000452f")]
    [InlineData("stream", 1, "f96035583eb00000")]
    [InlineData("chase", 50_000, "0000000aa69f8428")]
    [InlineData("sieve", 1, "00000000000132a2")]
    [InlineData("crc", 20, "00000000c10dc736")]
    [InlineData("sha", 2, "bf91879bd7ed4af8")]
    [InlineData("nbody", 5_000, "4073c075e6f4351d")]
    [InlineData("cold", 1, "a7de937f8e09b8eb")]
    public void Kernel_computes_what_it_does_elsewhere(string name, int count, string result)
    {
        string image = Build(name, count);

        foreach (string[] choice in (string[][])[["--slat", "ept"], ["--slat", "npt"], ["--backend", "whp-simulator"]])
        {
            ToolResult run = Run(["run", "--memory", "256M", "--debug-exit", "0xf4", .. choice, "--timeout", "120", "--kernel", image]);

            run.Output.Should().MatchRegex($"^@E{result} [0-9a-f]{{16}}\n$", "with {0}: {1}", choice[1], run.Error);
            run.Status.Should().Be(1, "the kernel writes 0 to the debug-exit port");
        }
    }

    private string Build(string name, int count)
    {
        string sources = Path.Combine(AppContext.BaseDirectory, "kernels"), folder = Path.GetDirectoryName(PathOf(name))!;
        if (name is "alu" or "fib")
        {
            Nasm(folder, "-f", "elf64", Path.Combine(sources, $"{name}.asm"), "-o", $"{name}.o");
        }
        else
        {
            string[] units = name == "nbody" ? ["-msse2", "-mfpmath=sse", "-fno-math-errno"] : ["-mgeneral-regs-only"];
            Gcc(
                folder, "gcc",
                [
                    "-O2", "-m64", "-ffreestanding", "-fno-pic", "-fno-pie", "-mno-red-zone", "-fno-stack-protector",
                    "-fcf-protection=none", "-fno-tree-vectorize", "-fno-tree-loop-distribute-patterns", "-fno-asynchronous-unwind-tables",
                    "-fno-builtin", "-mcmodel=small", .. units, $"-DW_{name}", "-c", Path.Combine(sources, "w.c"), "-o", $"{name}.o",
                ]);
        }
        Gcc(folder, "ld", ["-n", "-T", Path.Combine(sources, "link.ld"), $"{name}.o", "-o", $"{name}.elf"]);
        Gcc(folder, "objcopy", ["-O", "binary", $"{name}.elf", $"{name}.bin"]);
        Nasm(
            folder, "-f", "bin", $"-DBLOB=\"{name}.bin\"", $"-DCOUNT={count.ToString(CultureInfo.InvariantCulture)}",
            Path.Combine(sources, "image.asm"), "-o", $"{name}.mb");
        return PathOf($"{name}.mb");
    }

    private static void Gcc(string folder, string program, string[] arguments) =>
        OutsideTool.Run("gcc", "gcc binutils", folder, program, arguments);

    private static void Nasm(string folder, params string[] arguments) => OutsideTool.Run("nasm", "nasm", folder, "nasm", arguments);
}
