namespace Vmm.Replay;

internal sealed partial class RecordingPartition
{
    private readonly Queue<InterruptRequest> _requests = new(); // for when no processor is in guest code

    // The lock is held, and no processor is in guest code.
    private void SendRequests()
    {
        while (_requests.TryDequeue(out InterruptRequest request))
        {
            EnsureStarted(); // it is not among the state that the start records
            WriteTouched();
            _inner.RequestInterrupt(in request);
            _writer.Begin(OperationKind.Request);
            _writer.Byte(request.Vector);
            _writer.Byte((byte)request.Mode);
            _writer.Number(request.Destination);
            _writer.Flag(request.Logical);
            _writer.Flag(request.LevelTriggered);
        }
    }

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
        // State that holds the event as well must not be recorded before it.
        EnsureStarted();
        WriteTouched();
        InjectionResult result = processor.Inner.Inject(in injected);
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
