namespace Vmm.Machines;

/// <summary>
/// Finds out that no processor will ever run again, on a backend that waits at HLT inside: from time to time, when none has exited since
/// the
/// last look, all are asked out at the same moment, and each says whether it is halted with interrupts off or waits for its start-up
/// interrupt.
/// </summary>
internal sealed class HaltWatch : IDisposable
{
    private const ulong InterruptFlag = 0x200;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);

    private readonly object _gate = new();
    private readonly VirtualProcessorLoop[] _loops;
    private readonly Action _allHalted;
    private readonly Timer _timer;
    private readonly ulong[] _lastExits;
    private readonly bool[] _isHere;
    private int _arrived;
    private int _judged;
    private int _waitingForever;
    private bool _isLooking;

    public HaltWatch(VirtualProcessorLoop[] loops, Action allHalted)
    {
        _loops = loops;
        _allHalted = allHalted;
        _lastExits = new ulong[loops.Length];
        _isHere = new bool[loops.Length];
        _timer = new Timer(_ => Look());
    }

    /// <summary>Whether nothing but a reset, or another processor, can make a processor at rest run on.</summary>
    public static bool IsWaitingForever(IVirtualProcessor processor)
    {
        if (processor.IsPending)
            return false;
        bool hasEvents = processor.Partition.Capabilities.Has(Capability.EventState);
        processor.GetState(hasEvents ? RegisterGroups.General | RegisterGroups.Events : RegisterGroups.General, out ProcessorState state);
        if (!hasEvents)
            return (state.General.Rflags & InterruptFlag) == 0;
        if (state.Events.NmiPending || (state.Events.HasPending && state.Events.Pending.Kind != InjectedEventKind.ExternalInterrupt))
            return false;
        return state.Events.Activity == ProcessorActivity.WaitForSipi
            || (state.Events.Activity == ProcessorActivity.Halted && (state.General.Rflags & InterruptFlag) == 0);
    }

    /// <summary>Whether an event that a client injected waits to be delivered.</summary>
    public static bool HasEvent(IVirtualProcessor processor)
    {
        if (!processor.Partition.Capabilities.Has(Capability.EventState))
            return false;
        processor.GetState(RegisterGroups.Events, out ProcessorState state);
        return state.Events.NmiPending || state.Events.HasPending;
    }

    public void Start() => _timer.Change(s_period, s_period);

    /// <summary>A processor has left the guest, asked by this watch or not; returns when all have been looked at.</summary>
    public void Arrive(int index)
    {
        lock (_gate)
        {
            if (!_isLooking || _isHere[index])
                return;
            _isHere[index] = true;
            _arrived++;
            Monitor.PulseAll(_gate);
            if (!WaitFor(() => _arrived == _loops.Length))
                return;
            // All are out, and stay out until all have been judged: nobody can send an interrupt behind another's back.
            if (IsWaitingForever(_loops[index].Processor))
                _waitingForever++;
            _judged++;
            Monitor.PulseAll(_gate);
            if (!WaitFor(() => _judged == _loops.Length) || !_isLooking)
                return;
            _isLooking = false;
            if (_waitingForever < _loops.Length)
                return;
        }
        _allHalted();
    }

    /// <summary>Lets every processor go on.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _isLooking = false;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Release();
    }

    private void Look()
    {
        lock (_gate)
        {
            bool isQuiet = true;
            for (int index = 0; index < _loops.Length; index++)
            {
                ulong exits = _loops[index].HandledExits;
                isQuiet &= exits == _lastExits[index];
                _lastExits[index] = exits;
            }
            if (!isQuiet || _isLooking)
                return;
            _arrived = 0;
            _judged = 0;
            _waitingForever = 0;
            Array.Clear(_isHere);
            _isLooking = true;
        }
        foreach (VirtualProcessorLoop loop in _loops)
            loop.Processor.Cancel();
    }

    // A processor that is busy in a device keeps the others only so long: then this look is given up.
    private bool WaitFor(Func<bool> condition)
    {
        while (_isLooking && !condition())
        {
            if (!Monitor.Wait(_gate, s_patience))
                _isLooking = false;
        }
        if (!condition())
        {
            Monitor.PulseAll(_gate);
            return false;
        }
        return true;
    }
}
