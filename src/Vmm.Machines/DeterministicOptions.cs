namespace Vmm.Machines;

/// <summary>
/// How a deterministic machine runs: the same options, image and input give the same run, instruction by instruction, on every host.
/// </summary>
public sealed record DeterministicOptions
{
    /// <summary>
    /// Nanoseconds, and so instructions, that a processor runs before it is the next one's turn. A prime: no loop that waits with a lock in
    /// hand is left at the same instruction each time.
    /// </summary>
    public int Quantum { get; init; } = 20_011;

    /// <summary>The calendar time at which the machine starts.</summary>
    public DateTimeOffset Start { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What the random numbers follow from.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// What the host sends to the serial port, and when, by rising time: that of another run's <see cref="Machine.InputLog"/>, for
    /// instance.
    /// </summary>
    public IReadOnlyList<TimedInput> Input { get; init; } = [];
}
