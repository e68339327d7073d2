using Vmm.Devices;

namespace Vmm.Machines;

public sealed partial class Machine
{
    private DeterministicOptions? _deterministic;
    private DeterministicInput? _input;

    /// <summary>
    /// What the host has sent to the serial port of a deterministic machine, and when: the script by which another run repeats this one.
    /// Else empty.
    /// </summary>
    public IReadOnlyList<TimedInput> InputLog => _input?.Log ?? [];

    /// <summary>
    /// Sends bytes to the guest's serial port and waits for room as often as needed; see <see cref="MachineOptions.HasSerialInput"/>. In a
    /// deterministic machine they enter between turns, at a time that is noted. One caller at a time.
    /// </summary>
    /// <param name="data">The bytes.</param>
    /// <param name="cancellationToken">Ends the waiting; bytes already taken stay taken.</param>
    public ValueTask ReceiveAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        _input is { } input ? input.ReceiveAsync(data, cancellationToken) : Serial.ReceiveAsync(data, cancellationToken);

    private static VirtioOptions VirtioOf(MachineOptions options) => options is { Deterministic: { } deterministic, Virtio.Entropy: null }
        ? options.Virtio with { Entropy = new SeededEntropy(deterministic.Seed).Fill }
        : options.Virtio;

    private IMachineClock NewClock(MachineOptions options)
    {
        if (options.Deterministic is not { } deterministic)
            return options.Clock ?? new SystemClock();
        if (options.Clock is not null)
            throw new ArgumentException("A deterministic machine has a clock of its own: leave Clock out.", nameof(options));
        if (deterministic.Quantum is < 1 or > 1_000_000_000)
            throw new ArgumentException($"A quantum has from 1 to 1000000000 nanoseconds, not {deterministic.Quantum}.", nameof(options));
        _deterministic = deterministic;
        _input = new DeterministicInput(deterministic.Input);
        return new DrivenClock(() => (long)Partition.VirtualTime!.Nanoseconds, deterministic.Start);
    }

    private MachineRunBase NewRun() => _deterministic is { } deterministic
        ? new DeterministicRun(this, (DrivenClock)Clock, _input!, deterministic.Quantum)
        : new MachineRun(this);
}
