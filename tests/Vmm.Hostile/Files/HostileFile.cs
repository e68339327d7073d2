using Vmm.Tests;

namespace Vmm.Hostile.Files;

/// <summary>One damaged file of a kind that the command <c>vmm run</c> reads, made from one number.</summary>
public sealed class HostileFile
{
    private static readonly byte[] s_interesting = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];

    // cli; hlt, then what runs on from there: jumps back to it.
    private static readonly byte[] s_code = [0xFA, 0xF4, 0xEB, 0xFC];

    /// <summary>Makes the file that belongs to a seed.</summary>
    /// <param name="seed">The number.</param>
    /// <param name="savedMachine">An undamaged saved machine.</param>
    public HostileFile(int seed, byte[] savedMachine)
    {
        Random random = new(seed);
        string[] kinds = [.. Kinds];
        Kind = kinds[random.Next(kinds.Length)];
        byte[] whole = Kind == "saved" ? savedMachine : Build(Kind);
        Content = random.Next(8) == 0 ? Noise(random) : Damage(whole, random);
    }

    /// <summary>The kinds there are.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        ["linux", "multiboot", "multiboot-elf", "pvh", "elf32", "elf64", "initrd", "initrd-gzip", "flat", "firmware", "disk", "saved"];

    /// <summary>Its kind.</summary>
    public string Kind { get; }

    /// <summary>Its bytes.</summary>
    public byte[] Content { get; }

    /// <summary>The undamaged file of a kind, other than a saved machine: only a run makes that.</summary>
    public static byte[] Build(string kind) => kind switch
    {
        "linux" => Images.Linux(kernelSize: 0x1000),
        "multiboot" => Images.Multiboot(loadEnd: 0x10_0800, clearedEnd: 0x10_0A00),
        "multiboot-elf" => Images.MultibootElf(),
        "pvh" => Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0000),
        "elf32" => Images.Elf(false, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)]),
        "elf64" => Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)]),
        "initrd" => Images.Archive(100),
        "initrd-gzip" => Images.Gzip(Images.Archive(100)),
        "flat" => s_code,
        "firmware" => Rom(),
        "disk" => new byte[0x2000],
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not one of Kinds."),
    };

    /// <summary>Arguments of <c>vmm</c> that make it read the file.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="kernel">Path of an undamaged kernel, for files that go with one.</param>
    public string[] Arguments(string file, string kernel)
    {
        string[] source = Kind switch
        {
            "initrd" or "initrd-gzip" => ["--kernel", kernel, "--initrd", file],
            "elf32" or "elf64" => ["--elf", file],
            "firmware" => ["--firmware", file],
            "disk" => ["--kernel", kernel, "--disk", file],
            "saved" => ["--restore", file],
            "flat" => ["--flat", file + "@0x7c00"],
            _ => ["--kernel", file],
        };
        string[] memory = Kind == "saved" ? [] : ["--memory", "24M"]; // a saved machine brings its own
        return ["run", "--backend", "emulator", "--timeout", "0.02", .. memory, .. source];
    }

    // Instructions by chance, where the reset vector leads and nearly all damage is done.
    private static byte[] Rom()
    {
        byte[] rom = new byte[0x1_0000];
        new Random(0).NextBytes(rom.AsSpan(0, 0x280));
        ReadOnlySpan<byte> resetVector = [0xEA, 0x00, 0x00, 0x00, 0xF0];
        resetVector.CopyTo(rom.AsSpan(0xFFF0));
        return rom;
    }

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[random.Next(4096)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Damage(byte[] whole, Random random)
    {
        byte[] file = [.. whole];
        for (int changes = random.Next(1, 6); changes > 0; changes--)
        {
            int offset = random.Next(random.Next(3) == 0 ? file.Length : Math.Min(file.Length, 0x280));
            int width = 1 << random.Next(4);
            byte value = random.Next(2) == 0 ? s_interesting[random.Next(s_interesting.Length)] : (byte)random.Next(256);
            for (int index = offset; index < Math.Min(offset + width, file.Length); index++)
                file[index] = random.Next(3) == 0 ? (byte)random.Next(256) : value;
        }
        return random.Next(6) == 0 ? file[..random.Next(file.Length)] : file;
    }
}
