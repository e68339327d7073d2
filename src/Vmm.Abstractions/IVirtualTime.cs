namespace Vmm;

/// <summary>
/// Partition time that is counted in retired instructions: one nanosecond for each instruction of any processor, and for each fault.
/// </summary>
/// <remarks>
/// <para>
/// The time-stamp counters and the local APICs' timers run on it. A repeated string instruction counts once, when it is done. Everything
/// that happens at the same times in two runs happens alike: where a client enters events only between runs, by this time, a run repeats
/// exactly, on any host.
/// </para>
/// <para>For the thread that runs the processors; no other may use it meanwhile.</para>
/// </remarks>
public interface IVirtualTime
{
    /// <summary>Nanoseconds since the partition was made; never decreases.</summary>
    ulong Nanoseconds { get; }

    /// <summary>
    /// <see cref="IVirtualProcessor.Run"/> returns <see cref="ExitKind.Cancelled"/> once this time has come, at the end of a run of
    /// instructions without a jump: up to some tens of nanoseconds late. <see cref="ulong.MaxValue"/> = never. May be lowered by a device
    /// while an exit is handled.
    /// </summary>
    ulong Limit { get; set; }

    /// <summary>
    /// While every processor waits: moves the time forward to the earliest deadline of a local APIC's timer, but not past
    /// <paramref name="limit"/>.
    /// </summary>
    /// <param name="limit">The earliest time at which anything else happens; <see cref="ulong.MaxValue"/> = never.</param>
    /// <returns>The new time; <see cref="ulong.MaxValue"/> when nothing will ever happen, and the time stays.</returns>
    ulong Advance(ulong limit);
}
