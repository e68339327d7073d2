namespace Vmm.Tool.Tests;

public sealed class FirmwareTests : ToolTest
{
    [SkippableFact]
    public void Rom_of_a_wrong_size_is_refused()
    {
        Run("run", "--firmware", Write("small", new byte[4096])).ShouldRefuse("less than the 64 KiB");
        Run("run", "--firmware", Write("odd", new byte[0x1_0001])).ShouldRefuse("no multiple of 4096");
        Run("run", "--firmware", Write("large", new byte[0x100_1000])).ShouldRefuse("16 MiB");
        Skip.IfNot(OperatingSystem.IsLinux(), "/dev/zero is a file of Unix.");
        Run("run", "--firmware", "/dev/zero").ShouldRefuse("16 MiB");
    }

    [Fact]
    public void Debug_console_must_be_a_known_place()
    {
        string rom = Write("rom", new byte[0x1_0000]);
        Run("run", "--firmware", rom, "--debug-console", "stdout").ShouldRefuse("must be stderr or file:PATH");
        Run("run", "--firmware", rom, "--debug-console", "file:" + PathOf("no/such/folder")).ShouldRefuse("cannot be written");
    }

    [Fact]
    public void File_for_the_firmware_must_be_readable_and_have_a_name()
    {
        string rom = Write("rom", new byte[0x1_0000]);
        Run("run", "--firmware", rom, "--firmware-file", "name").ShouldRefuse("must be NAME=FILE");
        Run("run", "--firmware", rom, "--firmware-file", "opt/a=" + PathOf("missing")).ShouldRefuse("--firmware-file cannot be read");
        Run("run", "--firmware", rom, "--firmware-file", "etc/e820=" + rom).ShouldRefuse("already a file");
    }

    [Theory]
    [InlineData("stderr"), InlineData("file")]
    public void What_firmware_writes_to_its_debug_console_comes_out(string place)
    {
        // mov dx, 0x402; "hi\n"; then a reset through port 0xCF9.
        byte[] rom = new byte[0x1_0000];
        ReadOnlySpan<byte> code =
        [
            0xBA, 0x02, 0x04, 0xB0, 0x68, 0xEE, 0xB0, 0x69, 0xEE, 0xB0, 0x0A, 0xEE, 0xBA, 0xF9, 0x0C, 0xB0, 0x06, 0xEE, 0xF4,
        ];
        code.CopyTo(rom.AsSpan(0x100));
        ReadOnlySpan<byte> jump = [0xE9, 0x0D, 0x01];
        jump.CopyTo(rom.AsSpan(0xFFF0));

        ToolResult result = Run(
            "run", "--firmware", Write("rom", rom), "--debug-console", place == "file" ? "file:" + PathOf("log") : "stderr");

        result.Status.Should().Be(0, "the tool said {0}", result.Error);
        (place == "file" ? File.ReadAllText(PathOf("log")) : result.Error).Should().Be("hi\n");
    }

    [Fact]
    public void Rom_of_random_bytes_ends_in_a_documented_status()
    {
        Random random = new(11);
        for (int round = 0; round < 40; round++)
        {
            byte[] rom = new byte[0x1_0000];
            random.NextBytes(rom);

            ToolResult result = Run("run", "--memory", "2M", "--timeout", "0.05", "--firmware", Write("rom", rom));

            result.Status.Should().BeOneOf([0, 6, 8, 124], "round {0} said {1}", round, result.Error);
            result.Error.Should().NotContain("   at ");
        }
    }
}
