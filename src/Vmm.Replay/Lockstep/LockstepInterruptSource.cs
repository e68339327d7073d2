namespace Vmm.Replay;

/// <summary>
/// Stands before the client's interrupt controller: it is asked once, by the first backend, and what it said is said again to the second,
/// and to both when a stretch is run again.
/// </summary>
internal sealed class LockstepInterruptSource
{
    private readonly List<(int Vector, bool Asserted)> _answers = []; // since the last comparison
    private bool _asserted; // then

    public LockstepInterruptSource(LockstepPartition partition)
    {
        _ = partition;
        First = new Side(this, true);
        Second = new Side(this, false);
    }

    public IExternalInterruptSource? Client { get; set; }

    public Side First { get; }

    public Side Second { get; }

    /// <summary>Interrupts were taken since the last comparison.</summary>
    public bool WasAsked => _answers.Count != 0;

    /// <summary>Begins a stretch: the client's controller is looked at.</summary>
    public void Begin()
    {
        _answers.Clear();
        _asserted = Client is { Asserted: true };
        Rewind();
    }

    /// <summary>The stretch is run again.</summary>
    public void Rewind()
    {
        First.Next = 0;
        Second.Next = 0;
    }

    public sealed class Side(LockstepInterruptSource source, bool asks) : IExternalInterruptSource
    {
        public int Next { get; set; }

        public bool Asserted => Next == 0 ? source._asserted : source._answers[Next - 1].Asserted;

        public int Acknowledge()
        {
            if (Next < source._answers.Count)
                return source._answers[Next++].Vector;
            if (!asks)
                return -1; // the first backend did not take one here: the state will differ
            int vector = source.Client is { Asserted: true } client ? client.Acknowledge() : -1;
            source._answers.Add((vector, source.Client is { Asserted: true }));
            Next++;
            return vector;
        }
    }
}
