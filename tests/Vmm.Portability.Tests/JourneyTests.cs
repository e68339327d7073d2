using Vmm.Emulator;
using Vmm.WindowsHypervisor.Simulator;
using Xunit.Abstractions;

namespace Vmm.Portability.Tests;

/// <summary>One guest that moves between backends. The oracle is the host, which computes what the guest must come to.</summary>
public sealed class JourneyTests(ITestOutputHelper output)
{
    private const int Seed = 20_261_122;
    private const int Moves = 100;

    [Theory]
    [InlineData(LocalApicMode.None)]
    [InlineData(LocalApicMode.XApic)]
    public void Guest_moves_between_the_emulator_and_the_simulated_windows_platform_without_a_wrong_value(LocalApicMode localApic) =>
        Travel([new EmulatorHypervisor(), new WindowsHypervisorSimulator(new EmulatorHypervisor())], localApic, Moves / 4);

    [Theory]
    [InlineData(Loss.CarryFlag, "general register")]
    [InlineData(Loss.UpperHalfOfXmm11, "XMM")]
    [InlineData(Loss.TopOfTheX87Stack, "ST0")]
    [InlineData(Loss.BytesOfMemory, "table")]
    public void Backend_that_loses_a_little_at_a_move_is_found_out(Loss loss, string where)
    {
        Journey journey = new([new EmulatorHypervisor(), new LossyHypervisor(new EmulatorHypervisor(), loss)], LocalApicMode.None, Seed);
        journey.Run(Moves);
        output.WriteLine(journey.Wrong ?? "nothing was found");
        journey.Wrong.Should().Contain(where);
    }

    private void Travel(IReadOnlyList<IHypervisor> backends, LocalApicMode localApic, int moves)
    {
        Journey journey = new(backends, localApic, Seed);
        journey.Run(moves);
        output.WriteLine($"{journey.Moves} moves, {journey.MovesMidway} of them midway, {journey.Rounds} rounds compared");
        journey.Wrong.Should().BeNull();
        journey.Moves.Should().Be(moves);
        journey.Rounds.Should().BeGreaterThan(moves);
        journey.MovesMidway.Should().BeGreaterThan(moves / 2, "the guest is taken from wherever it is");
    }
}
