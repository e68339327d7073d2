using Vmm.Devices;

namespace Vmm.Machines.Tests;

/// <summary>SeaBIOS boots GRUB from a disk, and GRUB runs its own tests of the processor: real, 16-bit and 32-bit code by others.</summary>
public sealed class GrubTests : IDisposable
{
    private const string SeaBios = "/usr/share/seabios/bios-256k.bin";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-grub-");

    public void Dispose() => _folder.Delete(recursive: true);

    [SkippableFact]
    public async Task Grub_boots_from_a_virtio_disk_and_passes_its_functional_tests()
    {
        if (!File.Exists(SeaBios))
            OutsideTool.Missing("seabios", $"there is no {SeaBios}. Install it, on Debian: apt-get install seabios");
        using DiskImage disk = DiskImage.Open(GrubImage.Build(_folder.FullName), isReadOnly: true);
        await using Conversation machine = new(SeaBios, having: options => options with { Virtio = new VirtioOptions { Disks = [disk] } });

        MachineOutcome outcome = await machine.RunUntilAsync(null, TimeSpan.FromSeconds(150));

        machine.Console.Should().Contain("Booting from Hard Disk...");
        foreach (string test in GrubImage.Tests)
            machine.Serial.Should().Contain($"{test}_test: PASS");
        machine.Serial.Should().Contain("ALL TESTS PASSED").And.Contain("GRUB: done").And.NotContain("FAIL");
        outcome.Kind.Should().Be(MachineOutcomeKind.PoweredOff, "GRUB halts by the ACPI tables");
    }
}
