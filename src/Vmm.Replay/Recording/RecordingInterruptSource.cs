namespace Vmm.Replay;

/// <summary>Stands before the client's interrupt controller: what it says is looked at only at counted times, and recorded.</summary>
internal sealed class RecordingInterruptSource(RecordingPartition partition) : IExternalInterruptSource
{
    private volatile bool _asserted;

    public IExternalInterruptSource? Client { get; set; }

    public bool Asserted => _asserted;

    // On the thread that is in guest code; the record is not taken by anyone who would wait for it.
    public int Acknowledge()
    {
        // What it asked for when it was looked at may have gone away since.
        int vector = Client is { Asserted: true } client ? client.Acknowledge() : -1;
        bool asserted = Client is { Asserted: true };
        partition.RecordAcknowledge(vector, asserted);
        _asserted = asserted;
        return vector;
    }

    /// <summary>Looks at the client's controller. No processor is in guest code.</summary>
    public void Sample()
    {
        bool asserted = Client is { Asserted: true };
        if (asserted == _asserted)
            return;
        _asserted = asserted;
        partition.RecordAsserted(asserted);
    }
}
