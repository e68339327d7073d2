using System.Collections.Immutable;

namespace Vmm.Replay;

internal sealed partial class LockstepProcessor
{
    /// <summary>
    /// The stretch since the last comparison is run again from there, narrowed down by halves where both backends count, then instruction
    /// by instruction. True: what differed is explained, and both are where the first one was.
    /// </summary>
    private bool Explain()
    {
        VpExit one = _firstExit, two = _secondExit;
        string? reason = null;
        if (_before is null || _stretch != partition.Stretches)
            reason = "another processor has run meanwhile";
        else if (!IsCounted && (_hasInjected || partition.Source.WasAsked))
            reason = "an interrupt entered on the way";
        else if (!CanStep(first))
            reason = $"the {partition.First.Capabilities.Backend} backend can neither count nor step";
        LockstepDivergence rough = Describe(one, two, reason);
        if (reason is not null)
        {
            partition.Divergence = rough;
            return false;
        }
        ulong length = Now - _begunAt;
        Rewind();
        ulong done = 0;
        if (IsCounted && length > 1)
            done = AgreedLength(length);
        LockstepDivergence? exact = new LockstepSteps(this, partition, first, second, rough, _answers, _exits, one).Run(done, length);
        if (exact is null)
        {
            partition.Tolerate("explained-by-steps");
            return true;
        }
        partition.Divergence = exact;
        return false;
    }

    /// <summary>Whether a backend can be run for one instruction.</summary>
    public static bool CanStep(IVirtualProcessor processor) =>
        processor.Partition.VirtualTime is not null || processor.Partition.Capabilities.Has(Capability.SingleStep);

    /// <summary>Both backends as they were at the last comparison.</summary>
    private void Rewind()
    {
        Abandon(first);
        Abandon(second);
        partition.Mirror.Rewind();
        _before!.Apply(first);
        _beforeOnSecond!.Apply(second);
        partition.Source.Rewind();
    }

    // By halves: the greatest number of instructions after which both agree. Both are left there.
    private ulong AgreedLength(ulong length)
    {
        ulong low = 0, high = length;
        while (high - low > 1)
        {
            ulong middle = low + ((high - low) / 2);
            if (Advance(middle) && Differences().IsEmpty && FindMemoryDifferences().IsEmpty)
                low = middle;
            else
                high = middle;
            Rewind();
        }
        if (low != 0)
            Advance(low);
        return low;
    }

    private bool Advance(ulong count) => Advance(first, count) && Advance(second, count);

    private static bool Advance(IVirtualProcessor processor, ulong count)
    {
        IVirtualTime time = processor.Partition.VirtualTime!;
        time.Limit = time.Nanoseconds + count;
        VpExit exit;
        do
            exit = processor.Run();
        while (exit.Kind == ExitKind.Cancelled && time.Nanoseconds < time.Limit);
        return exit.Kind == ExitKind.Cancelled;
    }

    // Whatever an unfinished instruction does is undone afterwards.
    private static void Abandon(IVirtualProcessor processor)
    {
        for (int i = 0; i < 64 && processor.IsPending; i++)
        {
            foreach (PendingAnswerKind kind in (ReadOnlySpan<PendingAnswerKind>)[PendingAnswerKind.Read, PendingAnswerKind.Write, PendingAnswerKind.Cpuid])
            {
                try
                {
                    new PendingAnswer { Kind = kind, Resolution = WriteResolution.Discard }.Give(processor);
                }
                catch (InvalidOperationException)
                {
                    // It takes no such answer, or has one.
                }
            }
            processor.CompletePending(out _);
        }
    }

    private LockstepDivergence Describe(in VpExit one, in VpExit two, string? reason)
    {
        ulong rip = (ulong)(_before?.Elements.First(it => it.Id == StateElements.General.Id).Fields.First(it => it.Name == nameof(Register.Rip)).Value ?? 0);
        bool atRest = !first.IsPending && !second.IsPending;
        return new LockstepDivergence
        {
            Backends = (partition.First.Capabilities.Backend, partition.Second.Capabilities.Backend),
            Processor = Index,
            IsExact = false,
            Reason = reason,
            Rip = rip,
            Bytes = "",
            Disassembly = "",
            Distance = 0,
            Before = _before ?? new ProcessorSnapshot([]),
            First = atRest ? ProcessorSnapshot.Capture(first) : null,
            Second = atRest ? ProcessorSnapshot.Capture(second) : null,
            FirstExit = one,
            SecondExit = two,
            State = atRest ? Differences() : [],
            Memory = atRest ? FindMemoryDifferences() : [],
        };
    }

    /// <summary>For the steps: what differs, unless it is known.</summary>
    public ImmutableArray<StateDifference> FindDifferences() => Differences();

    /// <summary>For the steps: runs the second backend, which may go astray.</summary>
    public VpExit RunAstray(IVirtualProcessor processor) =>
        processor.Partition.VirtualTime is null ? RunWatched(processor, partition.Hypervisor.Options.Patience, mayStop: false) : processor.Run();
}
