using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>
/// Finds out that no processor will ever run again, on a backend that waits at HLT inside: from time to time, when none has exited since
/// the
/// last look, all are asked out at the same moment, and each says whether it waits for its start-up interrupt or is halted with interrupts
/// off, or on while nothing is left that could send one.
/// </summary>
internal sealed class HaltWatch : IDisposable
{
    private const ulong InterruptFlag = 0x200;
    private const int LocalApicLength = 1024;
    private const int RequestRegisters = 0x200;
    private const int TimerEntry = 0x320;
    private const int TimerCount = 0x390;
    private const uint EntryMasked = 1 << 16;
    private const uint EntryDeadline = 1 << 18;
    private const uint DeadlineMsr = 0x6E0;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);

    private readonly object _gate = new();
    private readonly VirtualProcessorLoop[] _loops;
    private readonly Func<bool> _mayBeInterrupted;
    private readonly Action _allHalted;
    private readonly Timer _timer;
    private readonly ulong[] _lastExits;
    private readonly bool[] _isHere;
    private int _arrived;
    private int _judged;
    private int _waitingForever;
    private bool _isLooking;

    /// <param name="loops">The processors.</param>
    /// <param name="mayBeInterrupted">Whether a device or the host may still send an interrupt, asked while no processor runs.</param>
    /// <param name="allHalted">Called when no processor will run again.</param>
    public HaltWatch(VirtualProcessorLoop[] loops, Func<bool> mayBeInterrupted, Action allHalted)
    {
        _loops = loops;
        _mayBeInterrupted = mayBeInterrupted;
        _allHalted = allHalted;
        _lastExits = new ulong[loops.Length];
        _isHere = new bool[loops.Length];
        _timer = new Timer(_ => Look());
    }

    /// <summary>Whether nothing but a reset, or another processor, can make a processor at rest run on.</summary>
    /// <param name="processor">The processor.</param>
    /// <param name="mayBeInterrupted">Whether a device or the host may still send an interrupt.</param>
    public static bool IsWaitingForever(IVirtualProcessor processor, bool mayBeInterrupted = true)
    {
        if (processor.IsPending)
            return false;
        if (!processor.Partition.Capabilities.Has(Capability.EventState))
        {
            processor.GetState(RegisterGroups.General, out ProcessorState registers);
            return (registers.General.Rflags & InterruptFlag) == 0;
        }
        processor.GetState(RegisterGroups.General | RegisterGroups.Events, out ProcessorState state);
        EventState events = state.Events;
        if (events.NmiPending || events.InitPending || events.StartupPending || events.HasDelivering)
            return false;
        if (events.HasPending && events.Pending.Kind != InjectedEventKind.ExternalInterrupt)
            return false;
        if (events.Activity != ProcessorActivity.Halted)
            return events.Activity == ProcessorActivity.WaitForSipi;
        if ((state.General.Rflags & InterruptFlag) == 0)
            return true;
        return !mayBeInterrupted && !events.HasPending && !LocalApicMayInterrupt(processor);
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
            // Devices are asked before the processor is looked at: one that has just fired has left its mark there.
            if (IsWaitingForever(_loops[index].Processor, _mayBeInterrupted()))
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

    // A vector that waits, or a timer that counts (SDM Vol. 3A 11.5.4). Vectors held back by priority count as well: who waits for those
    // is given the benefit of the doubt.
    private static bool LocalApicMayInterrupt(IVirtualProcessor processor)
    {
        if (processor.Partition.Options.LocalApic == LocalApicMode.None)
            return false;
        Span<byte> page = stackalloc byte[LocalApicLength];
        processor.GetLocalApic(page);
        for (int index = 0; index < 8; index++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(page[(RequestRegisters + 16 * index)..]) != 0)
                return true;
        }
        uint timer = BinaryPrimitives.ReadUInt32LittleEndian(page[TimerEntry..]);
        if ((timer & EntryMasked) != 0)
            return false;
        return (timer & EntryDeadline) != 0
            ? processor.ReadMsr(DeadlineMsr) != 0
            : BinaryPrimitives.ReadUInt32LittleEndian(page[TimerCount..]) != 0;
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
