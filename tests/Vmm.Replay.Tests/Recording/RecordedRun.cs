using System.Text;
using Vmm.Emulator;
using Vmm.Machines;

namespace Vmm.Replay.Tests;

/// <summary>What a guest did: what it wrote to the serial port and how many instructions each processor retired.</summary>
internal sealed record RecordedRun(byte[] Recording, string Sent, ulong[] Instructions)
{
    /// <summary>Runs a machine to its end and records it.</summary>
    public static async Task<RecordedRun> MakeAsync(MachineOptions options, StringBuilder sent, Func<Machine, Task>? host = null)
    {
        MemoryStream file = new();
        using RecordingHypervisor recorder = new(new EmulatorHypervisor(), file);
        ulong[] instructions;
        await using (Machine machine = new(recorder, options))
        {
            Task<MachineOutcome> run = machine.RunAsync();
            if (host is not null)
                await host(machine).WaitAsync(RecordedGuests.Patience);
            MachineOutcome outcome = await run.WaitAsync(RecordedGuests.Patience);
            outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit, "it was {0}", outcome);
            instructions = [.. machine.Partition.Processors.Select(processor => processor.Counters.Instructions)];
            recorder.AddNote("value", $"{outcome.Value:X}");
        }
        return new(file.ToArray(), sent.ToString(), instructions);
    }

    /// <summary>Replays it and compares.</summary>
    public void ShouldRepeat(SlatFormat format)
    {
        (ReplayResult result, string sent, ulong[] instructions) = Replay(new EmulatorHypervisor(), format);
        result.Divergence.Should().BeNull();
        result.IsCancelled.Should().BeFalse();
        sent.Should().Be(Sent);
        instructions.Should().Equal(Instructions);
    }

    /// <summary>Replays it on a backend.</summary>
    public (ReplayResult Result, string Sent, ulong[] Instructions) Replay(IHypervisor hypervisor, SlatFormat? format = null)
    {
        using Replay.Recording recording = Vmm.Replay.Recording.Open(new MemoryStream(Recording));
        StringBuilder sent = new();
        using Replayer replayer = new(hypervisor, recording, format)
        {
            Exited = (IVirtualProcessor _, in VpExit exit) =>
            {
                if (exit.Kind == ExitKind.PortIo && exit.PortIo is { IsWrite: true, Port: 0x3F8 } port)
                    sent.Append((char)(byte)port.Value);
            },
        };
        ReplayResult result = replayer.Run();
        return (result, sent.ToString(), [.. replayer.Partition.Processors.Select(processor => processor.Counters.Instructions)]);
    }
}
