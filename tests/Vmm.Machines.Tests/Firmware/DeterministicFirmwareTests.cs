namespace Vmm.Machines.Tests;

/// <summary>Deterministic machines with firmware, which waits for other processors with locks in hand.</summary>
public sealed class DeterministicFirmwareTests
{
    private const string SeaBios = "/usr/share/seabios/bios-256k.bin";

    [SkippableFact]
    public async Task SeaBios_finds_the_second_processor_and_does_the_same_again()
    {
        if (!File.Exists(SeaBios))
            OutsideTool.Missing("seabios", $"there is no {SeaBios}. Install it, on Debian: apt-get install seabios");
        string first = await RunAsync(), second = await RunAsync();

        first.Should().Contain("Found 2 cpu(s) max supported 2 cpu(s)");
        second.Should().Be(first);
    }

    // Up to the same place: the rest of a run depends on when it was cancelled.
    private static async Task<string> RunAsync()
    {
        const string Last = "Found 2 cpu(s) max supported 2 cpu(s)";

        await using Conversation machine = new(
            SeaBios, having: options => options with { ProcessorCount = 2, HasSerialInput = false, Deterministic = new DeterministicOptions() });
        await machine.RunUntilAsync(Last, TimeSpan.FromSeconds(60));
        string console = machine.Console;
        console.Should().Contain(Last);
        return console[..(console.IndexOf(Last, StringComparison.Ordinal) + Last.Length)];
    }
}
