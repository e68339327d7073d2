namespace Vmm.Replay;

/// <summary>Does recorded operations, one after the other.</summary>
internal sealed partial class ReplayedOperations : IDisposable
{
    private const ulong LongestWay = 1UL << 32; // for a guest that has gone astray

    private readonly Replayer _replayer;
    private readonly IPartition _partition;
    private readonly IVirtualTime _time;
    private readonly OperationReader _reader;
    private readonly ReplayedInterruptSource _source;
    private readonly List<GuestMemory> _blocks = [];
    private readonly Dictionary<ulong, (IDisposable Registration, ManualResetEvent Signal)> _doorbells = [];
    private ulong _memory;
    private ReplayDivergence? _divergence;
    private bool _isFinished;

    public ReplayedOperations(Replayer replayer, IPartition partition, OperationReader reader)
    {
        _replayer = replayer;
        _partition = partition;
        _reader = reader;
        _time = partition.VirtualTime!;
        _source = new ReplayedInterruptSource(_time);
        partition.ExternalInterruptSource = _source;
    }

    /// <summary>Number of the operation that is being done, from 0.</summary>
    public long Number { get; private set; }

    public ReplayResult Run(CancellationToken cancellationToken)
    {
        while (_divergence is null && !_isFinished)
        {
            if (cancellationToken.IsCancellationRequested)
                return new ReplayResult(Number, _time.Nanoseconds, null, true);
            if (!_reader.IsAtEnd || TryReadChunk())
            {
                Do((OperationKind)_reader.Byte());
                Number++;
            }
            else
            {
                _isFinished = true;
            }
        }
        return new ReplayResult(Number, _time.Nanoseconds, _divergence, false);
    }

    public void Dispose()
    {
        foreach ((IDisposable registration, ManualResetEvent signal) in _doorbells.Values)
        {
            registration.Dispose();
            signal.Dispose();
        }
        foreach (GuestMemory block in _blocks)
            block.Dispose();
    }

    private bool TryReadChunk()
    {
        while (true)
        {
            switch (_reader.ReadChunk())
            {
                case RecordingChunkKind.Operations when !_reader.IsAtEnd:
                    return true;
                case RecordingChunkKind.End:
                    return false;
            }
        }
    }

    private void Do(OperationKind kind)
    {
        switch (kind)
        {
            case OperationKind.Run:
                DoRun();
                break;
            case OperationKind.Complete:
                DoComplete();
                break;
            case OperationKind.Read:
                Processor().CompleteRead(_reader.Number());
                break;
            case OperationKind.ReadString:
                DoReadString(Processor());
                break;
            case OperationKind.Cpuid:
                Processor().CompleteCpuid(new CpuidResult((uint)_reader.Number(), (uint)_reader.Number(), (uint)_reader.Number(), (uint)_reader.Number()));
                break;
            case OperationKind.Fault:
                Processor().CompleteWithFault();
                break;
            case OperationKind.Resolution:
                Processor().CompleteWrite((WriteResolution)_reader.Byte());
                break;
            case OperationKind.Inject:
                Processor().Inject(new InjectedEvent
                {
                    Kind = (InjectedEventKind)_reader.Byte(),
                    Vector = _reader.Byte(),
                    HasErrorCode = _reader.Flag(),
                    ErrorCode = (uint)_reader.Number(),
                    Payload = _reader.Number(),
                });
                break;
            case OperationKind.Request:
                _partition.RequestInterrupt(new InterruptRequest
                {
                    Vector = _reader.Byte(),
                    Mode = (InterruptDeliveryMode)_reader.Byte(),
                    Destination = (uint)_reader.Number(),
                    Logical = _reader.Flag(),
                    LevelTriggered = _reader.Flag(),
                });
                break;
            case OperationKind.Asserted:
                _source.Set(_reader.Flag());
                _partition.NotifyExternalInterrupt();
                break;
            case OperationKind.Acknowledge:
                _source.Add(_reader.Time(), _reader.Small(256) - 1, _reader.Flag());
                break;
            case OperationKind.Advance:
                DoAdvance(_reader.Time());
                break;
            case OperationKind.State:
                IVirtualProcessor target = Processor();
                StateCodec.Read(_reader).Apply(target);
                break;
            case OperationKind.Debugging:
                DoDebugging(Processor());
                break;
            case OperationKind.Reset:
                _partition.Reset(_reader.Flag());
                break;
            case OperationKind.Finish:
                DoFinish();
                break;
            default:
                DoMemory(kind);
                break;
        }
    }

    private IVirtualProcessor Processor()
    {
        int index = _reader.Byte();
        return index < _partition.Processors.Count ? _partition.Processors[index] : throw _reader.Damaged($"names the processor {index}");
    }

    private void DoRun()
    {
        IVirtualProcessor processor = Processor();
        ulong until = _reader.Time(), room = _reader.Number();
        VpExit recorded = ExitCodec.Read(_reader);
        ReadOnlySpan<byte> elements = Elements(in recorded);
        if (until < _time.Nanoseconds)
        {
            Diverge(processor.Index, $"{recorded} at {until} ns", "a time that is past");
            return;
        }
        // A natural exit comes by itself, with as much room as it had.
        ulong ahead = room == 0 ? LongestWay : Math.Max(room - 1, 1);
        _time.Limit = recorded.Kind == ExitKind.Cancelled ? until : until + Math.Min(ahead, LongestWay);
        VpExit exit = processor.Run();
        _replayer.Exited?.Invoke(processor, in exit);
        Compare(processor, until, in recorded, in exit, elements);
    }

    private void DoComplete()
    {
        IVirtualProcessor processor = Processor();
        ulong until = _reader.Time();
        bool isDone = _reader.Flag();
        VpExit recorded = isDone ? default : ExitCodec.Read(_reader);
        ReadOnlySpan<byte> elements = Elements(in recorded);
        CompletionStatus status = processor.CompletePending(out VpExit exit);
        if (status == CompletionStatus.FurtherExit)
            _replayer.Exited?.Invoke(processor, in exit);
        Compare(processor, until, in recorded, in exit, elements);
    }

    private ReadOnlySpan<byte> Elements(in VpExit recorded) =>
        recorded.Kind == ExitKind.PortIo && recorded.PortIo is { IsString: true, IsWrite: true } ? _reader.Bytes() : default;

    private void Compare(IVirtualProcessor processor, ulong until, in VpExit recorded, in VpExit exit, ReadOnlySpan<byte> elements)
    {
        ulong now = _time.Nanoseconds;
        if (_source.Difference is { } difference)
            Diverge(processor.Index, difference.Recorded, difference.Found);
        else if (ExitCodec.Essence(in recorded) != ExitCodec.Essence(in exit) || until != now)
            Diverge(processor.Index, $"{recorded} at {until} ns", $"{exit} at {now} ns");
        else if (_source.Waiting != 0)
            Diverge(processor.Index, "an acknowledged interrupt", "none");
        else if (!elements.IsEmpty && !processor.PendingData.SequenceEqual(elements))
            Diverge(processor.Index, $"{recorded} of {Convert.ToHexString(elements)}", Convert.ToHexString(processor.PendingData));
    }

    private void DoReadString(IVirtualProcessor processor)
    {
        ReadOnlySpan<byte> elements = _reader.Bytes();
        Span<byte> pending = processor.PendingData;
        if (pending.Length != elements.Length)
            throw _reader.Damaged("has a string input of another length");
        elements.CopyTo(pending);
        processor.CompleteRead(0);
    }

    private void DoDebugging(IVirtualProcessor processor)
    {
        bool singleStep = _reader.Flag();
        DebugPoint[] points = new DebugPoint[_reader.Small(1024)];
        for (int i = 0; i < points.Length; i++)
            points[i] = new DebugPoint((DebugPointKind)_reader.Byte(), _reader.Number(), _reader.Byte());
        processor.Debugging = new DebugControl { SingleStep = singleStep, Points = [.. points] };
    }

    private void DoAdvance(ulong time)
    {
        ulong now = _time.Nanoseconds;
        if (time == now)
            return;
        ulong found = time < now ? now : _time.Advance(time);
        if (found != time)
            Diverge(-1, $"a wait until {time} ns", $"one until {found} ns");
    }

    private void DoFinish()
    {
        ulong time = _reader.Time();
        if (time != _time.Nanoseconds)
            Diverge(-1, $"the end at {time} ns", $"it at {_time.Nanoseconds} ns");
        foreach (IVirtualProcessor processor in _partition.Processors)
        {
            ulong recorded = _reader.Number(), found = processor.Counters.Instructions;
            if (recorded != found)
                Diverge(processor.Index, $"{recorded} instructions", $"{found}");
        }
        ulong checksum = _reader.Number(), memory = MemoryContent.Checksum(_partition.Memory);
        if (checksum != memory)
            Diverge(-1, $"memory with the checksum {checksum:X8}", $"{memory:X8}");
    }

    private void Diverge(int processor, string recorded, string found) =>
        _divergence ??= new ReplayDivergence(Number, processor, _time.Nanoseconds, recorded, found);
}
