using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Time;

/// <summary>Time counted in the instructions that a partition's processors have retired.</summary>
internal sealed class VirtualTime(EmulatorPartition partition) : IVirtualTime
{
    private ulong _skipped; // while every processor waited, and faults

    public ulong Nanoseconds
    {
        get
        {
            ulong time = _skipped;
            foreach (EmulatorVirtualProcessor processor in partition.EmulatedProcessors)
                time += processor?.InstructionsRetired ?? 0;
            return time;
        }
    }

    public ulong Limit { get; set; } = ulong.MaxValue;

    public ulong Advance(ulong limit)
    {
        ulong next = limit;
        foreach (EmulatorVirtualProcessor processor in partition.EmulatedProcessors)
        {
            ulong deadline = processor.Core.Apic?.NextDeadline ?? LocalApicTimer.Never;
            if (deadline != LocalApicTimer.Never)
                next = Math.Min(next, partition.Clock.ToNanoseconds(deadline));
        }
        ulong now = Nanoseconds;
        if (next == ulong.MaxValue || next <= now)
            return next == ulong.MaxValue ? next : now;
        _skipped += next - now;
        return next;
    }

    /// <summary>Something that retires nothing took as long as an instruction.</summary>
    public void Tick() => _skipped++;
}
