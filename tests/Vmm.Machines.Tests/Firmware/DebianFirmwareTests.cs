using Vmm.Devices;

namespace Vmm.Machines.Tests;

/// <summary>Firmware as Debian packages it: whether it comes as far as it does on real machines.</summary>
public sealed class DebianFirmwareTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static string Require(string name, string package, string path)
    {
        if (!File.Exists(path))
            OutsideTool.Missing(name, $"there is no {path}. Install it, on Debian: apt-get install {package}");
        return path;
    }

    [SkippableTheory]
    [InlineData("bios-256k.bin"), InlineData("bios.bin")]
    public async Task SeaBios_gets_as_far_as_looking_for_something_to_boot(string file)
    {
        await using Conversation machine = new(Require("seabios", "seabios", "/usr/share/seabios/" + file));

        await machine.RunUntilAsync("Booting from", s_patience);

        machine.Console.Should().Contain("Running on QEMU (i440fx)").And.Contain("QEMU fw_cfg DMA interface supported")
            .And.Contain("PCI: init bdf=00:00.0 id=8086:1237").And.Contain("Found 1 cpu(s) max supported 1 cpu(s)")
            .And.Contain("PS2 keyboard initialized").And.Contain("Booting from");
        // The map that it will tell: what it was told, less what it keeps.
        machine.Console.Should().Contain("0000000000000000 - 000000000009fc00 = 1 RAM")
            .And.MatchRegex("0000000000100000 - 0000000007ff[0-9a-f]000 = 1 RAM", "the firmware keeps the ACPI tables at the end");
        if (file == "bios-256k.bin")
            machine.Console.Should().MatchRegex(@"table\(50434146\)=0x\w+ \(via xsdt\)", "it has found the machine's own tables");
        machine.Serial.Should().BeEmpty("nobody asked for the screen there");
    }

    [SkippableFact]
    public async Task SeaBios_shows_its_screen_on_the_serial_port()
    {
        await using Conversation machine = new(
            Require("seabios", "seabios", "/usr/share/seabios/bios-256k.bin"), image => image with { ScreenOnSerial = true });

        await machine.RunUntilAsync("No bootable device.", s_patience);

        machine.Serial.Should().Contain("SeaBIOS (version").And.Contain("Booting from Hard Disk...").And.Contain("No bootable device.");
    }

    [SkippableFact]
    public async Task SeaBios_with_a_vga_bios_shows_its_screen_on_the_display()
    {
        string vga = Require("seabios", "seabios", "/usr/share/seabios/vgabios-isavga.bin");
        await using Conversation machine = new(
            Require("seabios", "seabios", "/usr/share/seabios/bios-256k.bin"),
            image => image with { Files = [new FirmwareFile("vgaroms/vga.bin", File.ReadAllBytes(vga))] });

        await machine.RunUntilAsync("Retrying in 60 seconds.", s_patience);

        VgaTextScreen screen = machine.Machine.Display.Read();
        (screen.Columns, screen.Rows).Should().Be((80, 25), "the debug console said {0}", machine.Console);
        string[] lines = [.. screen.ToString().Split('\n')];
        lines[0].Should().StartWith("SeaBIOS (version");
        lines.Should().Contain("Booting from Hard Disk...");
        int last = Array.FindIndex(lines, line => line.StartsWith("No bootable device.", StringComparison.Ordinal));
        last.Should().BePositive();
        // The run may end before the line feed.
        screen.Cursor!.Value.Row.Should().BeOneOf(last, last + 1);
    }

    [SkippableTheory]
    [InlineData("qemu-x86"), InlineData("qemu-x86_64")]
    public async Task U_Boot_answers_at_its_prompt(string target)
    {
        await using Conversation machine = new(Require("u-boot", "u-boot-qemu", $"/usr/lib/u-boot/{target}/u-boot.rom"));

        await machine.RunUntilAsync("=> ", s_patience, ("Hit any key", "\r"), ("=> ", "echo $((6*7)) $vendor; md.b 0xfffffff0 1\r"));

        machine.Serial.Should().Contain("DRAM:  128 MiB").And.Contain("Model: QEMU x86 (I440FX)");
        machine.Serial.Should().MatchRegex(@"\nfffffff0: [0-9a-f]{2} ");
    }
}
