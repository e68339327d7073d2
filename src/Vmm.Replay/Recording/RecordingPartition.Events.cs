namespace Vmm.Replay;

internal sealed partial class RecordingPartition
{
    /// <summary>The interrupt source was asked by the guest: recorded before the run in which that was.</summary>
    public void RecordAcknowledge(int vector, bool asserted)
    {
        ulong now = _time.Nanoseconds;
        lock (_gate)
        {
            _writer.Begin(OperationKind.Acknowledge);
            _writer.Time(now);
            _writer.Number((ulong)(vector + 1));
            _writer.Flag(asserted);
        }
    }

    /// <summary>The interrupt source changed its mind. The lock is held.</summary>
    public void RecordAsserted(bool asserted)
    {
        EnsureStarted();
        _writer.Begin(OperationKind.Asserted);
        _writer.Flag(asserted);
        // It may be what a halted processor waits for.
        _inner.NotifyExternalInterrupt();
    }

    /// <summary>Injects an event and records it.</summary>
    public InjectionResult Inject(RecordingProcessor processor, in InjectedEvent injected)
    {
        using HostTurn turn = Enter();
        InjectionResult result = processor.Inner.Inject(in injected);
        EnsureStarted();
        WriteTouched();
        _writer.Begin(OperationKind.Inject);
        _writer.Byte((byte)processor.Index);
        _writer.Byte((byte)injected.Kind);
        _writer.Byte(injected.Vector);
        _writer.Flag(injected.HasErrorCode);
        _writer.Number(injected.ErrorCode);
        _writer.Number(injected.Payload);
        return result;
    }
}
