using System.Diagnostics;

namespace Vmm.Replay;

internal sealed partial class RecordingPartition
{
    // With the host's time: how far the guest runs before it is looked whether others want to, or the time has fallen behind.
    private const ulong LoneTurn = 200_000;
    private const ulong SharedTurn = 20_011;
    private const ulong Tick = 100_000;

    private static readonly TimeSpan s_nap = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longestInstruction = TimeSpan.FromMilliseconds(20);

    private readonly Stopwatch _host;
    private readonly LinkedList<RecordingProcessor> _line = new(); // who wants into guest code, first come first served
    private RecordingProcessor? _guest; // who is in guest code
    private Thread? _guestThread;
    private bool _kicked;
    private int _pauses;
    private int _hosts; // threads that wait for the guest to leave
    private int _suspensions;
    private bool _isInside; // the last run ended within an instruction

    /// <summary>
    /// Makes the processor in guest code leave, waits for it, and takes the record. From the guest's own thread outside of guest code it
    /// does not wait.
    /// </summary>
    public HostTurn Enter()
    {
        Monitor.Enter(_gate);
        try
        {
            LeaveGuest();
            ObjectDisposedException.ThrowIf(_disposed, this);
            SendRequests();
            return new HostTurn(_gate);
        }
        catch
        {
            Monitor.Exit(_gate);
            throw;
        }
    }

    /// <summary>As <see cref="Enter"/>; without effect on a partition that is gone.</summary>
    public HostTurn EnterUnlessDisposed()
    {
        Monitor.Enter(_gate);
        LeaveGuest();
        if (!_disposed)
            return new HostTurn(_gate);
        Monitor.Exit(_gate);
        return default;
    }

    /// <summary>Takes the record for the processor's own thread, between its runs: others may be in guest code.</summary>
    public HostTurn EnterBeside()
    {
        Monitor.Enter(_gate);
        return new HostTurn(_gate);
    }

    /// <summary>A cancel was asked for.</summary>
    public void NotifyCancel(RecordingProcessor processor)
    {
        lock (_gate)
        {
            if (_guest == processor)
                Kick();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Runs a processor until an exit that is the client's. On the thread that has it.</summary>
    public VpExit Run(RecordingProcessor processor)
    {
        ulong left = IsLive && Options.InstructionBudget != 0 ? Options.InstructionBudget : ulong.MaxValue;
        while (true)
        {
            ulong limit, begin;
            lock (_gate)
            {
                if (!TryBegin(processor))
                    return new VpExit(ExitKind.Cancelled);
                begin = _time.Nanoseconds;
                limit = IsLive ? begin + Math.Min(left, _processors.Length == 1 ? LoneTurn : SharedTurn) : _time.Limit;
                if (IsLive)
                    _time.Limit = limit;
            }
            VpExit exit = default;
            bool kicked = false;
            try
            {
                exit = RunToCountedTime(processor.Inner, limit, out kicked);
            }
            finally
            {
                lock (_gate)
                {
                    left -= Math.Min(left, _time.Nanoseconds - begin);
                    End(processor, in exit, limit);
                }
            }
            switch (exit.Kind)
            {
                case ExitKind.Cancelled:
                    if (processor.TakeCancel() || left == 0 || (!IsLive && !kicked))
                        return exit;
                    break;
                case ExitKind.Halt when IsLive && Options.LocalApic != LocalApicMode.None:
                    Nap();
                    break;
                default:
                    return exit;
            }
        }
    }

    /// <summary>Records that a processor's pending instruction was finished.</summary>
    public CompletionStatus Complete(RecordingProcessor processor, out VpExit exit)
    {
        using HostTurn turn = Enter();
        CompletionStatus status = processor.Inner.CompletePending(out exit);
        _writer.Begin(OperationKind.Complete);
        _writer.Byte((byte)processor.Index);
        _writer.Time(_time.Nanoseconds);
        _writer.Flag(status == CompletionStatus.Done);
        if (status != CompletionStatus.Done)
            WriteExit(processor, in exit);
        return status;
    }

    // A run that was asked to leave has stopped anywhere, perhaps within a repeated string instruction: it goes on to where an instruction
    // has been counted, which a replay finds again.
    private VpExit RunToCountedTime(IVirtualProcessor processor, ulong limit, out bool kicked)
    {
        VpExit exit = processor.Run();
        kicked = exit.Kind == ExitKind.Cancelled && _time.Nanoseconds < limit && Volatile.Read(ref _kicked);
        if (!kicked)
            return exit;
        ulong clients = _time.Limit;
        ulong stop = _time.Nanoseconds + 1;
        _time.Limit = stop;
        long begun = Stopwatch.GetTimestamp();
        using Timer impatience = new(static state => ((IVirtualProcessor)state!).Cancel(), processor, s_longestInstruction, s_longestInstruction);
        do
        {
            exit = processor.Run();
            if (exit.Kind == ExitKind.Cancelled && _time.Nanoseconds < stop && Stopwatch.GetElapsedTime(begun) > s_longestInstruction)
            {
                // A string instruction without end: where it is cannot be counted, so what it has done is recorded.
                _isInside = true;
                break;
            }
        }
        while (exit.Kind == ExitKind.Cancelled && _time.Nanoseconds < stop);
        _time.Limit = clients;
        return exit;
    }

    // False: it was cancelled. The lock is held.
    private bool TryBegin(RecordingProcessor processor)
    {
        _line.AddLast(processor.Place);
        try
        {
            while (true)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (processor.TakeCancel())
                    return false;
                if (_guest is null && _pauses == 0 && _hosts == 0 && _line.First == processor.Place)
                    break;
                Monitor.Wait(_gate);
            }
        }
        finally
        {
            _line.Remove(processor.Place);
        }
        EnsureStarted();
        WriteTouched();
        SendRequests();
        _source.Sample();
        KeepUp();
        _kicked = false;
        Volatile.Write(ref _guestThread, Thread.CurrentThread);
        _guest = processor;
        return true;
    }

    private void End(RecordingProcessor processor, in VpExit exit, ulong limit)
    {
        _guest = null;
        Volatile.Write(ref _guestThread, null);
        processor.Inner.WithdrawCancel();
        if (exit.Kind != ExitKind.None)
        {
            _writer.Begin(OperationKind.Run);
            _writer.Byte((byte)processor.Index);
            _writer.Time(_time.Nanoseconds);
            // How far it might have run: close to its limit the backend goes instruction by instruction, and so must a replay.
            ulong now = _time.Nanoseconds;
            _writer.Number(limit == ulong.MaxValue ? 0 : limit > now ? limit - now + 1 : 1);
            WriteExit(processor, in exit);
        }
        if (_isInside)
        {
            _isInside = false;
            processor.IsTouched = true;
            _memory.RecordAll();
        }
        if (_line.Count != 0 || _hosts != 0 || _pauses != 0 || _disposed)
            Monitor.PulseAll(_gate);
    }

    private void WriteExit(RecordingProcessor processor, in VpExit exit)
    {
        ExitCodec.Write(_writer, in exit);
        if (exit.Kind == ExitKind.PortIo && exit.PortIo is { IsString: true, IsWrite: true })
            _writer.Bytes(processor.Inner.PendingData);
    }

    // The lock is held; it is let go while the guest leaves. On the guest's own thread there is nothing to wait for.
    private void LeaveGuest()
    {
        if (_guest is null || ReferenceEquals(_guestThread, Thread.CurrentThread))
            return;
        _hosts++;
        Kick();
        while (_guest is not null)
            Monitor.Wait(_gate);
        _hosts--;
        Monitor.PulseAll(_gate);
    }

    private void Kick()
    {
        Volatile.Write(ref _kicked, true);
        _guest!.Inner.Cancel();
    }

    // The guest's time follows the host's, by steps that a recording has room for.
    private void KeepUp()
    {
        if (!IsLive || _suspensions != 0)
            return;
        ulong host = (ulong)_host.Elapsed.TotalNanoseconds / Tick * Tick;
        if (host <= _time.Nanoseconds)
            return;
        RecordAdvance(_time.Advance(host));
    }

    /// <summary>The client looks at what runs on with the time: it is moved up to the host's.</summary>
    public void ShowTime()
    {
        using HostTurn turn = Enter();
        KeepUp();
    }

    /// <summary>The time was moved. The lock is held.</summary>
    public void RecordAdvance(ulong time)
    {
        if (!IsStarted || time == ulong.MaxValue)
            return;
        _writer.Begin(OperationKind.Advance);
        _writer.Time(time);
    }

    // A halted processor waits inside, as without a recorder: until something happens to the partition, or for a moment.
    private void Nap()
    {
        lock (_gate)
        {
            if (!_disposed && _hosts == 0 && _line.Count == 0)
                Monitor.Wait(_gate, s_nap);
        }
    }
}
