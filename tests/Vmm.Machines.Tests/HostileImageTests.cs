namespace Vmm.Machines.Tests;

/// <summary>Whatever an image's bytes are, loading it succeeds or throws <see cref="ImageLoadException"/>.</summary>
public sealed class HostileImageTests
{
    private const int Rounds = 4_000;

    private static readonly byte[] s_code = new byte[200];

    private readonly ArrayMemory _memory = new(20 << 20);

    public static TheoryData<string> Kinds =>
        new("linux", "multiboot", "multiboot-elf", "pvh32", "pvh64", "elf32", "elf64", "initrd", "initrd-gzip");

    private static byte[] Build(string kind) => kind switch
    {
        "linux" => Images.Linux(kernelSize: 0x1000),
        "multiboot" => Images.Multiboot(loadEnd: 0x10_0800, clearedEnd: 0x10_0A00),
        "multiboot-elf" => Images.MultibootElf(),
        "pvh32" => Images.Elf(false, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0040),
        "pvh64" => Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0040),
        "elf32" => Images.Elf(false, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000), (0x40_0000, 0x40_0000, s_code, 0x1000)]),
        "elf64" => Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000), (0x40_0000, 0x40_0000, s_code, 0x1000)]),
        "initrd" => Images.Archive(100),
        _ => Images.Gzip(Images.Archive(100)),
    };

    private bool Loads(string kind, byte[] content)
    {
        BootImage image = kind switch
        {
            "elf32" or "elf64" => new ElfImage(content),
            "initrd" or "initrd-gzip" =>
                new KernelImage(Images.Linux(kernelSize: 0x1000)) { Modules = [new BootModule(content, "initrd")] },
            _ => new KernelImage(content) { CommandLine = "x", Modules = [new BootModule(Images.Archive(10), "module")] },
        };
        try
        {
            image.Load(_memory).Should().NotBeNull();
            return true;
        }
        catch (ImageLoadException exception)
        {
            exception.Message.Should().Contain(exception.Hint);
            return false;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Image_as_built_loads(string kind) => Loads(kind, Build(kind)).Should().BeTrue();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Truncated_image_loads_or_is_refused(string kind)
    {
        byte[] image = Build(kind);
        int refused = 0;
        for (int length = 0; length < image.Length; length += length < 700 ? 1 : 37)
            refused += Loads(kind, image[..length]) ? 0 : 1;
        refused.Should().BeGreaterThan(10);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Mutated_image_loads_or_is_refused(string kind)
    {
        byte[] original = Build(kind);
        Random random = new(kind.Length * 31 + kind[0]);
        int header = kind == "linux" ? 0x26C : Math.Min(original.Length, 256);
        byte[] interesting = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] image = [.. original];
            for (int changes = random.Next(1, 6); changes > 0; changes--)
            {
                int offset = random.Next(random.Next(4) == 0 ? image.Length : header);
                int width = 1 << random.Next(4);
                byte value = random.Next(2) == 0 ? interesting[random.Next(interesting.Length)] : (byte)random.Next(256);
                for (int index = offset; index < Math.Min(offset + width, image.Length); index++)
                    image[index] = random.Next(3) == 0 ? (byte)random.Next(256) : value;
            }
            refused += Loads(kind, image) ? 0 : 1;
        }
        refused.Should().BeInRange(1, Rounds - 1, "some mutations matter and some do not");
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        Random random = new(11);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] image = new byte[random.Next(2000)];
            random.NextBytes(image);
            if (Loads("kernel", image))
                Assert.Fail("random bytes were loaded");
        }
    }
}
