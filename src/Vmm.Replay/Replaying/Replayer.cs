namespace Vmm.Replay;

/// <summary>
/// Repeats a recorded guest without devices: what the host did to it is done again at the same counted times, and what the guest does is
/// compared with what it did.
/// </summary>
/// <remarks>
/// For one thread, except for the token of <see cref="Run"/>. The nested-table format may be another than that of the recording: guests do
/// not see it.
/// </remarks>
public sealed class Replayer : IDisposable
{
    private readonly ReplayedOperations _operations;

    /// <summary>Makes the guest's partition; nothing runs yet.</summary>
    /// <param name="hypervisor">The backend. It must count time in instructions.</param>
    /// <param name="recording">The recording; stays the caller's to dispose, afterwards.</param>
    /// <param name="slatFormat">Nested-table format; null = as recorded.</param>
    /// <exception cref="NotSupportedException">The backend cannot do what the recording needs.</exception>
    /// <exception cref="RecordingException">The recorded options are impossible.</exception>
    public Replayer(IHypervisor hypervisor, Recording recording, SlatFormat? slatFormat = null)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(recording);
        hypervisor.Capabilities.Require(Capability.VirtualTime);
        PartitionOptions options = recording.Options;
        if (slatFormat is not null)
            options = options with { SlatFormat = slatFormat };
        try
        {
            Partition = hypervisor.CreatePartition(options);
        }
        catch (ArgumentException e)
        {
            throw new RecordingException($"The recorded partition cannot be made: {e.Message}", e);
        }
        _operations = new ReplayedOperations(this, Partition, recording.Read());
    }

    /// <summary>The guest. It may be looked at between runs.</summary>
    public IPartition Partition { get; }

    /// <summary>Sees every exit; null = nobody does.</summary>
    public ReplayedExit? Exited { get; init; }

    /// <summary>Repeats the recording to its end, or to the first divergence.</summary>
    /// <param name="cancellationToken">Ends it at the next operation; another call goes on.</param>
    /// <exception cref="RecordingException">
    /// The recording asks for what cannot be done: it is damaged, or of another backend's making.
    /// </exception>
    public ReplayResult Run(CancellationToken cancellationToken = default)
    {
        try
        {
            return _operations.Run(cancellationToken);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException or HypervisorException)
        {
            throw new RecordingException($"The recording cannot be replayed beyond operation {_operations.Number}: {e.Message}", e);
        }
    }

    /// <summary>Frees the guest.</summary>
    public void Dispose()
    {
        Partition.Dispose();
        _operations.Dispose();
    }
}
