using System.Diagnostics.Metrics;
using Vmm.Testing;

namespace Vmm.Core.Tests.Metrics;

public sealed class VmmMeterTests
{
    [Fact]
    public void Partitions_and_exits_are_counted_by_backend_and_ended_ones_stay_in_the_totals()
    {
        // A name of its own keeps other tests' partitions out.
        ScriptedHypervisor hypervisor = new(name: "metered") { Script = [ScriptedStep.PortWrite(0x80, 1, 1), ScriptedStep.PortWrite(0x80, 1, 2), ScriptedStep.Halt] };
        IPartition first = hypervisor.CreatePartition(new());
        using IPartition second = hypervisor.CreatePartition(new() { ProcessorCount = 2 });
        Run(first);
        second.Processors[1].Run().Kind.Should().Be(ExitKind.Halt);
        using GuestMemory memory = second.AllocateMemory(0x3000);
        second.Memory.Map(0x1000, memory, 0, 0x3000, GuestAccess.All);
        Observe().Should().BeEquivalentTo(new Dictionary<string, long>
        {
            ["vmm.partition.live"] = 2, ["vmm.vp.exits PortIo"] = 2, ["vmm.vp.exits Halt"] = 2,
            ["vmm.memory.mapped"] = 0x3000, ["vmm.vp.events"] = 0, ["vmm.vp.instructions"] = 0, ["vmm.slat.walks"] = 0,
        });

        first.Dispose();
        first.Dispose();
        Run(second);
        Observe().Should().BeEquivalentTo(new Dictionary<string, long>
        {
            ["vmm.partition.live"] = 1, ["vmm.vp.exits PortIo"] = 4, ["vmm.vp.exits Halt"] = 3,
            ["vmm.memory.mapped"] = 0x3000, ["vmm.vp.events"] = 0, ["vmm.vp.instructions"] = 0, ["vmm.slat.walks"] = 0,
        });

        second.Dispose();
        Observe()["vmm.partition.live"].Should().Be(0);
        Observe()["vmm.memory.mapped"].Should().Be(0);
        Observe()["vmm.vp.exits PortIo"].Should().Be(4);
    }

    private static void Run(IPartition partition)
    {
        while (partition.Processors[0].Run().Kind != ExitKind.Halt)
        {
        }
    }

    private static Dictionary<string, long> Observe()
    {
        Dictionary<string, long> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == VmmTelemetry.MeterName)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Dictionary<string, object?> all = new(tags.ToArray());
            if ((string?)all["vmm.backend"] == "metered")
                seen.Add(all.TryGetValue("vmm.exit.kind", out object? kind) ? $"{instrument.Name} {kind}" : instrument.Name, value);
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }
}
