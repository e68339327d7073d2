namespace Vmm.Replay;

/// <summary>A processor whose inputs are recorded.</summary>
internal sealed class RecordingProcessor : IVirtualProcessor
{
    private readonly RecordingPartition _partition;
    private Thread? _owner;
    private readonly ulong[] _exits = new ulong[(int)ExitKind.Failed + 1];
    private int _cancel;

    public RecordingProcessor(RecordingPartition partition, IVirtualProcessor inner)
    {
        _partition = partition;
        Inner = inner;
        Place = new LinkedListNode<RecordingProcessor>(this);
    }

    public IVirtualProcessor Inner { get; }

    /// <summary>Its place in the line before guest code.</summary>
    public LinkedListNode<RecordingProcessor> Place { get; }

    /// <summary>The client has set state that is not recorded yet.</summary>
    public bool IsTouched { get; set; }

    /// <summary>A thread is inside <see cref="Run"/>.</summary>
    public bool IsHeld => Volatile.Read(ref _owner) is not null;

    public int Index => Inner.Index;

    public IPartition Partition => _partition;

    public bool IsPending => Inner.IsPending;

    public Span<byte> PendingData => Inner.PendingData;

    public int XsaveSize => Inner.XsaveSize;

    // Of the backend's exits only those that the client saw.
    public ProcessorCounters Counters => Inner.Counters with { Exits = [.. _exits] };

    public DebugControl Debugging
    {
        get => Inner.Debugging;
        set
        {
            RequireRest("debug");
            using HostTurn turn = _partition.Enter();
            Inner.Debugging = value;
            _partition.EnsureStarted();
            OperationWriter writer = _partition.Writer;
            Begin(OperationKind.Debugging);
            writer.Flag(value.SingleStep);
            writer.Number((ulong)value.Points.Length);
            foreach (DebugPoint point in value.Points)
            {
                writer.Byte((byte)point.Kind);
                writer.Number(point.Address);
                writer.Byte((byte)point.Length);
            }
        }
    }

    public ulong this[Register register]
    {
        get
        {
            RequireRest("read registers of");
            return Inner[register];
        }
        set
        {
            Touch();
            Inner[register] = value;
        }
    }

    public VpExit Run()
    {
        Thread? other = Interlocked.CompareExchange(ref _owner, Thread.CurrentThread, null);
        if (other is not null)
            throw InUse("run", other);
        try
        {
            VpExit exit = _partition.Run(this);
            _exits[(int)exit.Kind]++;
            return exit;
        }
        finally
        {
            Volatile.Write(ref _owner, null);
        }
    }

    public CompletionStatus CompletePending(out VpExit exit)
    {
        RequireRest("complete");
        CompletionStatus status = _partition.Complete(this, out exit);
        if (status == CompletionStatus.FurtherExit)
            _exits[(int)exit.Kind]++;
        return status;
    }

    public void CompleteRead(ulong value)
    {
        RequireRest("complete");
        using HostTurn turn = _partition.EnterBeside();
        ReadOnlySpan<byte> elements = Inner.PendingData;
        Inner.CompleteRead(value);
        OperationWriter writer = _partition.Writer;
        writer.Begin(elements.IsEmpty ? OperationKind.Read : OperationKind.ReadString);
        writer.Byte((byte)Index);
        if (elements.IsEmpty)
            writer.Number(value);
        else
            writer.Bytes(elements);
    }

    public void CompleteCpuid(in CpuidResult result)
    {
        RequireRest("complete");
        using HostTurn turn = _partition.EnterBeside();
        Inner.CompleteCpuid(in result);
        Begin(OperationKind.Cpuid);
        _partition.Writer.Number(result.Eax);
        _partition.Writer.Number(result.Ebx);
        _partition.Writer.Number(result.Ecx);
        _partition.Writer.Number(result.Edx);
    }

    public void CompleteWithFault()
    {
        RequireRest("complete");
        using HostTurn turn = _partition.EnterBeside();
        Inner.CompleteWithFault();
        Begin(OperationKind.Fault);
    }

    public void CompleteWrite(WriteResolution resolution)
    {
        RequireRest("complete");
        using HostTurn turn = _partition.EnterBeside();
        Inner.CompleteWrite(resolution);
        Begin(OperationKind.Resolution);
        _partition.Writer.Byte((byte)resolution);
    }

    public void Cancel()
    {
        Volatile.Write(ref _cancel, 1);
        _partition.NotifyCancel(this);
    }

    public bool WithdrawCancel() => TakeCancel();

    /// <summary>Takes a cancel request.</summary>
    public bool TakeCancel() => Volatile.Read(ref _cancel) != 0 && Interlocked.Exchange(ref _cancel, 0) != 0;

    public InjectionResult Inject(in InjectedEvent injected) => _partition.Inject(this, in injected);

    public void GetRegisters(ReadOnlySpan<Register> registers, Span<ulong> values)
    {
        RequireRest("read registers of");
        Inner.GetRegisters(registers, values);
    }

    public void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values)
    {
        Touch();
        Inner.SetRegisters(registers, values);
    }

    public void GetState(RegisterGroups groups, out ProcessorState state)
    {
        RequireRest("read registers of");
        Inner.GetState(groups, out state);
    }

    public void SetState(RegisterGroups groups, in ProcessorState state)
    {
        Touch();
        Inner.SetState(groups, in state);
    }

    public ulong ReadMsr(uint msr)
    {
        RequireRest("read registers of");
        _partition.ShowTime();
        return Inner.ReadMsr(msr);
    }

    public void WriteMsr(uint msr, ulong value)
    {
        Touch();
        Inner.WriteMsr(msr, value);
    }

    public void GetXsave(Span<byte> area)
    {
        RequireRest("read registers of");
        Inner.GetXsave(area);
    }

    public void SetXsave(ReadOnlySpan<byte> area)
    {
        Touch();
        Inner.SetXsave(area);
    }

    public void GetLocalApic(Span<byte> page)
    {
        RequireRest("read registers of");
        _partition.ShowTime();
        Inner.GetLocalApic(page);
    }

    public void SetLocalApic(ReadOnlySpan<byte> page)
    {
        Touch();
        Inner.SetLocalApic(page);
    }

    public LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user = false)
    {
        RequireRest("translate through");
        return Inner.Translate(linear, access, user);
    }

    private void Begin(OperationKind kind)
    {
        _partition.Writer.Begin(kind);
        _partition.Writer.Byte((byte)Index);
    }

    private void Touch()
    {
        RequireRest("write registers of");
        IsTouched = true;
    }

    // Between two of its turns a processor is at rest behind, but not for the client.
    private void RequireRest(string operation)
    {
        if (Volatile.Read(ref _owner) is { } owner)
            throw InUse(operation, owner);
    }

    private InvalidOperationException InUse(string operation, Thread owner)
    {
        string who = owner.Name is { Length: > 0 } name ? $"'{name}' ({owner.ManagedThreadId})" : $"{owner.ManagedThreadId}";
        return new($"Cannot {operation} processor {Index}: thread {who} is running it.");
    }
}
