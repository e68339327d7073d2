using Vmm.Conformance;
using Vmm.Emulator;

namespace Vmm.Replay.Tests;

/// <summary>
/// Guests of the conformance kit pass in front of a recorder, whose client sees nothing of it, and each recording is repeated.
/// </summary>
public sealed class RecordedKitTests
{
    public static TheoryData<string> Families => ["port.", "mmio.", "interrupts.", "apic.", "time.", "state.", "hostdebug.", "watch.", "completion."];

    [Theory]
    [MemberData(nameof(Families))]
    public void Guests_pass_recorded_and_are_repeated(string family)
    {
        List<string> wrong = [];
        int repeated = 0;
        foreach (ConformanceCase guest in ConformanceCatalog.All.Where(it => it.Id.StartsWith(family, StringComparison.Ordinal)))
        {
            RecorderForEach recorder = new();
            CaseResult result = ConformanceRunner.RunCase(recorder, guest, SlatFormat.Ept);
            if (result.Outcome == CaseOutcome.Failed)
                wrong.Add(result.Explain());
            foreach ((RecordingHypervisor made, MemoryStream file) in recorder.Made)
            {
                made.Dispose();
                using Replay.Recording recording = Vmm.Replay.Recording.Open(new MemoryStream(file.ToArray()));
                using Replayer replayer = new(new EmulatorHypervisor(), recording, SlatFormat.Npt);
                if (replayer.Run().Divergence is { } divergence)
                    wrong.Add($"{guest.Id}: {divergence}");
                repeated++;
            }
        }
        string.Join(Environment.NewLine, wrong).Should().BeEmpty();
        repeated.Should().BeGreaterThan(5);
    }

    // A recorder holds one partition; this makes one for each.
    private sealed class RecorderForEach : IHypervisor
    {
        private readonly EmulatorHypervisor _emulator = new();

        public List<(RecordingHypervisor Recorder, MemoryStream File)> Made { get; } = [];

        public string Name => _emulator.Name;

        public HypervisorCapabilities Capabilities => _emulator.Capabilities;

        public IPartition CreatePartition(PartitionOptions options)
        {
            MemoryStream file = new();
            RecordingHypervisor recorder = new(_emulator, file);
            IPartition partition = recorder.CreatePartition(options);
            Made.Add((recorder, file));
            return partition;
        }
    }
}
