namespace Vmm.Replay;

/// <summary>How a pending instruction was answered.</summary>
internal enum PendingAnswerKind
{
    None,
    Read,
    Cpuid,
    Fault,
    Write,
}

/// <summary>An answer of the client's, to be given once more.</summary>
internal readonly record struct PendingAnswer
{
    public PendingAnswerKind Kind { get; init; }

    public ulong Value { get; init; }

    public byte[]? Elements { get; init; }

    public CpuidResult Cpuid { get; init; }

    public WriteResolution Resolution { get; init; }

    public void Give(IVirtualProcessor processor)
    {
        switch (Kind)
        {
            case PendingAnswerKind.Read:
                if (Elements is { Length: > 0 } elements && processor.PendingData.Length == elements.Length)
                    elements.CopyTo(processor.PendingData);
                processor.CompleteRead(Value);
                break;
            case PendingAnswerKind.Cpuid:
                processor.CompleteCpuid(Cpuid);
                break;
            case PendingAnswerKind.Fault:
                processor.CompleteWithFault();
                break;
            case PendingAnswerKind.Write:
                processor.CompleteWrite(Resolution);
                break;
        }
    }
}
