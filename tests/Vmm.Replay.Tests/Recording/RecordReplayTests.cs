using System.Text;
using Vmm.Emulator;
using Vmm.Machines;
using Vmm.Machines.Tests;

namespace Vmm.Replay.Tests;

/// <summary>A recorded run is repeated without devices, to the instruction, whatever was not deterministic in it.</summary>
public sealed class RecordReplayTests
{
    [Theory]
    [InlineData(SlatFormat.Ept)]
    [InlineData(SlatFormat.Npt)]
    [InlineData(SlatFormat.None)]
    public async Task Deterministic_machine_is_repeated(SlatFormat format)
    {
        StringBuilder sent = new();
        RecordedRun run = await RecordedRun.MakeAsync(
            RecordedGuests.Options(TimedGuests.Ticker(), sent) with { Deterministic = new() }, sent);
        run.Sent.Should().HaveLength(80);
        run.ShouldRepeat(format);
    }

    [Theory]
    [InlineData(LocalApicMode.None)]
    [InlineData(LocalApicMode.XApic)]
    public async Task Machine_on_the_hosts_time_is_repeated(LocalApicMode localApic)
    {
        StringBuilder sent = new();
        RecordedRun run = await RecordedRun.MakeAsync(RecordedGuests.Options(TimedGuests.Ticker(), sent) with { LocalApic = localApic }, sent);
        run.Sent.Length.Should().BeGreaterThanOrEqualTo(80);
        run.ShouldRepeat(SlatFormat.Npt);
    }

    [Fact]
    public async Task Live_input_is_repeated()
    {
        StringBuilder sent = new();
        RecordedRun run = await RecordedRun.MakeAsync(
            RecordedGuests.Options(TimedGuests.Echo(), sent) with { HasSerialInput = true },
            sent,
            async machine =>
            {
                foreach (byte[] typed in (byte[][])[[(byte)'h'], "el"u8.ToArray(), "lo."u8.ToArray()])
                {
                    await Task.Delay(5);
                    await machine.ReceiveAsync(typed);
                }
            });
        run.Sent.Should().HaveLength(10);
        run.ShouldRepeat(SlatFormat.Ept);
    }

    [Fact]
    public async Task Two_processors_are_repeated()
    {
        StringBuilder sent = new();
        RecordedRun run = await RecordedRun.MakeAsync(RecordedGuests.Options(RecordedGuests.TwoProcessors(), sent) with { ProcessorCount = 2 }, sent);
        run.Instructions[1].Should().BeGreaterThan(10_000);
        run.ShouldRepeat(SlatFormat.Npt);
    }

    [Fact]
    public async Task Recording_of_a_live_run_does_not_repeat_by_accident()
    {
        // The same guest twice on the host's time: what it sends holds the time, so a replay that equals it has it from the recording.
        StringBuilder one = new(), two = new();
        RecordedRun first = await RecordedRun.MakeAsync(RecordedGuests.Options(TimedGuests.Ticker(), one), one);
        RecordedRun second = await RecordedRun.MakeAsync(RecordedGuests.Options(TimedGuests.Ticker(), two), two);
        second.Sent.Should().NotBe(first.Sent);
        first.ShouldRepeat(SlatFormat.Ept);
    }

    [Fact]
    public async Task Notes_and_options_are_kept()
    {
        StringBuilder sent = new();
        RecordedRun run = await RecordedRun.MakeAsync(RecordedGuests.Options(TimedGuests.Ticker(), sent), sent);
        using Replay.Recording recording = Vmm.Replay.Recording.Open(new MemoryStream(run.Recording));
        recording.Notes["value"].Should().Be("21");
        recording.Backend.Should().Be("emulator");
        recording.Options.LocalApic.Should().Be(LocalApicMode.XApic);
        recording.Options.VirtualTime.Should().BeTrue();
        recording.Options.CpuProfile!.Leaves.Should().Equal(CpuProfiles.V1.Leaves);
    }

    [Fact]
    public void Second_partition_of_a_recorder_is_refused()
    {
        using RecordingHypervisor recorder = new(new EmulatorHypervisor(), new MemoryStream());
        using IPartition first = recorder.CreatePartition(new PartitionOptions());
        recorder.Invoking(it => it.CreatePartition(new PartitionOptions())).Should().Throw<InvalidOperationException>();
    }
}
