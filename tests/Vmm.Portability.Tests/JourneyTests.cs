using Vmm.Emulator;
using Vmm.Testing;
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

    [SkippableTheory]
    [InlineData(LocalApicMode.None)]
    [InlineData(LocalApicMode.XApic)]
    public void Guest_moves_between_the_emulator_and_kvm_without_a_wrong_value(LocalApicMode localApic) =>
        Travel([new EmulatorHypervisor(), Kvm()], localApic, Moves);

    [SkippableFact]
    public void Guest_moves_between_the_emulator_and_kvm_amid_chaos()
    {
        ChaosOptions chaos = new() { Seed = Seed, SpuriousCancels = 0.2, EarlyInterruptWindows = 0.2, ShortRuns = 0.2, CancelStorms = 0.5 };
        ChaosHypervisor emulator = new(new EmulatorHypervisor(), chaos), kvm = new(Kvm(), chaos);
        Travel([emulator, kvm], LocalApicMode.XApic, Moves / 4);
        output.WriteLine($"{emulator.Counts}");
        output.WriteLine($"{kvm.Counts}");
        kvm.Counts.HiddenCancels.Should().BePositive();
        kvm.Counts.SpuriousCancels.Should().BePositive();
    }

    // Some hosts cannot hide what their processors have; the guest's own CPUID is what decides.
    [SkippableFact]
    public void Kvm_takes_a_guest_strictly_only_where_it_hides_all_that_the_profile_leaves_out()
    {
        IHypervisor kvm = Kvm();
        using IPartition target = kvm.CreatePartition(new() { CpuProfile = CpuProfiles.V1 });
        CpuProfile shown = target.CpuProfile!;
        CpuProfile profile = CpuProfiles.V1.WithClocks(shown.TimeStampCounterFrequency, shown.ApicTimerFrequency);
        using IPartition source = new EmulatorHypervisor().CreatePartition(new() { CpuProfile = profile });
        PartitionSnapshot saved = PartitionSnapshot.Capture(source);
        bool showsMore = shown.Leaves.Any(leaf => leaf.Value != default && leaf.Value != profile.Find(leaf.Leaf, leaf.Subleaf ?? 0)?.Value);
        output.WriteLine(showsMore ? "shows more" : "shows the profile exactly");
        if (showsMore)
        {
            output.WriteLine(saved.Invoking(snapshot => snapshot.Apply(target)).Should().Throw<SavedStateException>()
                .WithMessage("*CPUID leaf 0x*AllowSupersetCpuid*").Which.Message);
        }
        else
        {
            saved.Apply(target);
        }
        saved.Apply(target, new() { AllowSupersetCpuid = true });
        ProcessorSnapshot.Compare(saved.Processors[0], ProcessorSnapshot.Capture(target.Processors[0]))
            .Where(difference => difference.Expected is not null).Should().BeEmpty("what the target has beyond that is as after power-on");
    }

    [Theory]
    [InlineData(Loss.CarryFlag, "general register")]
    [InlineData(Loss.UpperHalfOfXmm11, "XMM")]
    [InlineData(Loss.TopOfTheX87Stack, "ST0")]
    [InlineData(Loss.BytesOfMemory, "steps")]
    public void Backend_that_loses_a_little_at_a_move_is_found_out(Loss loss, string where)
    {
        using Journey journey = new([new EmulatorHypervisor(), new LossyHypervisor(new EmulatorHypervisor(), loss)], LocalApicMode.None, Seed);
        journey.Run(Moves);
        output.WriteLine(journey.Wrong ?? "nothing was found");
        journey.Wrong.Should().Contain(where);
    }

    private static IHypervisor Kvm()
    {
        try
        {
            return Hypervisors.Kvm();
        }
        catch (HypervisorUnavailableException unavailable)
        {
            OutsideTool.Missing("kvm", unavailable.Message);
            throw;
        }
    }

    private void Travel(IReadOnlyList<IHypervisor> backends, LocalApicMode localApic, int moves)
    {
        using Journey journey = new(backends, localApic, Seed);
        journey.Run(moves);
        output.WriteLine($"{journey.Moves} moves, {journey.MovesMidway} of them midway, {journey.Rounds} rounds compared");
        journey.Wrong.Should().BeNull();
        journey.Moves.Should().Be(moves);
        journey.Rounds.Should().BeGreaterThan(moves);
        journey.MovesMidway.Should().BeGreaterThan(moves / 10, "the guest is taken from wherever it is");
    }
}
