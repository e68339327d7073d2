namespace Vmm.Replay;

/// <summary>Answers as the recorded interrupt controller did.</summary>
internal sealed class ReplayedInterruptSource(IVirtualTime time) : IExternalInterruptSource
{
    private readonly Queue<(ulong Time, int Vector, bool Asserted)> _answers = new();
    private bool _asserted;

    public bool Asserted => _asserted;

    /// <summary>What was asked otherwise than recorded; null = nothing.</summary>
    public (string Recorded, string Found)? Difference { get; private set; }

    public int Waiting => _answers.Count;

    public void Set(bool asserted) => _asserted = asserted;

    public void Add(ulong when, int vector, bool asserted) => _answers.Enqueue((when, vector, asserted));

    public int Acknowledge()
    {
        if (!_answers.TryDequeue(out (ulong Time, int Vector, bool Asserted) answer))
        {
            Difference ??= ("no acknowledged interrupt", $"one at {time.Nanoseconds} ns");
            _asserted = false;
            return -1;
        }
        if (answer.Time != time.Nanoseconds)
            Difference ??= ($"an interrupt acknowledged at {answer.Time} ns", $"it acknowledged at {time.Nanoseconds} ns");
        _asserted = answer.Asserted;
        return answer.Vector;
    }
}
