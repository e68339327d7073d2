using System.Collections.Immutable;

namespace Vmm.Debugging.Control;

/// <summary>
/// Lets all processors run or none: where one stops, all do. Processors' threads come through <see cref="Run"/>; the other members are the
/// debugger's side.
/// </summary>
internal sealed class AllStop
{
    private readonly IPartition _partition;
    private readonly object _gate = new();
    private readonly Slot[] _slots;
    private StopReport? _report;
    private bool _stopWanted;
    private bool _ended;
    private volatile bool _attention; // some processor shall not run
    private volatile bool _hasClient;

    public AllStop(IPartition partition, bool stopsAtStart)
    {
        _partition = partition;
        _slots = [.. partition.Processors.Select(_ => new Slot())];
        _stopWanted = _attention = stopsAtStart;
    }

    private sealed class Slot
    {
        public bool IsInside; // its thread is between Begin and End
        public bool IsHeld;
        public ResumeAction Action = ResumeAction.Continue;
        public StopReport? Waiting; // a hit that came while another one was being reported
    }

    /// <summary>A processor stopped the guest. Called by its thread; must not block.</summary>
    public event Action? StopPosted;

    /// <summary>A debugger is there to see why a processor stops for good.</summary>
    public bool HasClient
    {
        get => _hasClient;
        set => _hasClient = value;
    }

    /// <summary>The run is over, or has not begun.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_gate)
                return _ended;
        }
    }

    public void Begin()
    {
        lock (_gate)
        {
            _ended = false;
            foreach (Slot slot in _slots)
                slot.IsInside = true;
        }
    }

    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            foreach (Slot slot in _slots)
                slot.IsInside = false;
            Monitor.PulseAll(_gate);
        }
    }

    public VpExit Run(VirtualProcessorLoop loop)
    {
        int index = loop.Processor.Index;
        Slot slot = _slots[index];
        while (true)
        {
            if (_attention && !Hold(slot, loop, out VpExit left))
                return left;
            VpExit exit = loop.Run();
            switch (exit.Kind)
            {
                case ExitKind.Debug:
                    Post(index, in exit);
                    break;
                case ExitKind.Cancelled when _attention:
                    break;
                case ExitKind.Shutdown or ExitKind.Failed or ExitKind.SlatViolation when _hasClient:
                    // The debugger sees the processor as it fell; going on ends the run.
                    Post(index, in exit);
                    if (_attention)
                        Hold(slot, loop, out _);
                    return exit;
                default:
                    return exit;
            }
        }
    }

    /// <summary>
    /// Makes every processor leave guest code; returns when all have, or when one of them is busy in a device for longer than is waited.
    /// </summary>
    /// <param name="patience">How long to wait.</param>
    /// <returns>What a processor stopped for meanwhile; null = nothing but this call.</returns>
    public StopReport? Stop(TimeSpan patience)
    {
        lock (_gate)
            _stopWanted = _attention = true;
        foreach (IVirtualProcessor processor in _partition.Processors)
            processor.Cancel();
        return AwaitStop(patience);
    }

    /// <summary>Waits until every processor has left guest code, after <see cref="StopPosted"/>.</summary>
    public StopReport? AwaitStop(TimeSpan patience)
    {
        long end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        lock (_gate)
        {
            while (Array.Exists(_slots, static slot => slot.IsInside && !slot.IsHeld))
            {
                long left = end - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_gate, (int)left))
                    break;
            }
            StopReport? report = _report;
            _report = null;
            return report;
        }
    }

    /// <summary>Lets processors go on. All are at rest.</summary>
    /// <param name="actions">One for each processor.</param>
    /// <param name="points">Breakpoints and watchpoints of all.</param>
    /// <returns>A hit that has yet to be reported: then nothing runs.</returns>
    /// <exception cref="NotSupportedException">The backend lacks what is asked for.</exception>
    /// <exception cref="ArgumentException">There are more points than the backend has room for.</exception>
    /// <exception cref="InvalidOperationException">A processor is not at rest.</exception>
    public StopReport? Resume(IReadOnlyList<ResumeAction> actions, ImmutableArray<DebugPoint> points)
    {
        lock (_gate)
        {
            for (int i = 0; i < _slots.Length; i++)
            {
                if (_slots[i].Waiting is not { } waiting || actions[i] == ResumeAction.Hold)
                    continue;
                _slots[i].Waiting = null;
                return waiting;
            }
        }
        for (int i = 0; i < _slots.Length; i++)
        {
            if (actions[i] != ResumeAction.Hold)
                SetDebugging(_partition.Processors[i], actions[i] == ResumeAction.Step, points);
        }
        lock (_gate)
        {
            for (int i = 0; i < _slots.Length; i++)
                _slots[i].Action = actions[i];
            _stopWanted = false;
            _report = null;
            _attention = actions.Contains(ResumeAction.Hold);
            Monitor.PulseAll(_gate);
        }
        return null;
    }

    /// <summary>Forgets the debugger: no points, everything runs. All are at rest.</summary>
    public void Release()
    {
        foreach (IVirtualProcessor processor in _partition.Processors)
        {
            try
            {
                SetDebugging(processor, step: false, []);
            }
            catch (InvalidOperationException)
            {
                // It is not at rest, because the run ends; or it is disposed.
            }
        }
        lock (_gate)
        {
            foreach (Slot slot in _slots)
            {
                slot.Action = ResumeAction.Continue;
                slot.Waiting = null;
            }
            _report = null;
            _stopWanted = _attention = false;
            Monitor.PulseAll(_gate);
        }
    }

    private static void SetDebugging(IVirtualProcessor processor, bool step, ImmutableArray<DebugPoint> points)
    {
        DebugControl present = processor.Debugging;
        if (present.SingleStep != step || !present.Points.SequenceEqual(points))
            processor.Debugging = new DebugControl { SingleStep = step, Points = points };
        else if (step)
            processor.Debugging = present with { }; // a step left over from before is not this one
    }

    private void Post(int index, in VpExit exit)
    {
        StopReport report = StopReport.Of(index, in exit);
        lock (_gate)
        {
            if (_stopWanted)
            {
                // A breakpoint is hit again when its processor goes on, a watchpoint is not.
                if ((report.Access & GuestAccess.ReadWrite) != 0)
                    _slots[index].Waiting = report;
                return;
            }
            _stopWanted = _attention = true;
            _report = report;
        }
        foreach (IVirtualProcessor processor in _partition.Processors)
        {
            if (processor.Index != index)
                processor.Cancel();
        }
        StopPosted?.Invoke();
    }

    // Waits as long as the processor shall not run. False: the exit is the run's.
    private bool Hold(Slot slot, VirtualProcessorLoop loop, out VpExit exit)
    {
        // Registers are exact only between instructions.
        if (loop.Processor.IsPending && !loop.TryFinishPending(out exit))
            return false;
        lock (_gate)
        {
            slot.IsHeld = true;
            Monitor.PulseAll(_gate);
            while (!_ended && (_stopWanted || slot.Action == ResumeAction.Hold))
                Monitor.Wait(_gate);
            slot.IsHeld = false;
            exit = new VpExit(ExitKind.Cancelled);
            return !_ended;
        }
    }
}
