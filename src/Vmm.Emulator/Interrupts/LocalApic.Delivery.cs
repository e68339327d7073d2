namespace Vmm.Emulator.Interrupts;

/// <content>Accepting, prioritising, taking and ending interrupts (SDM Vol. 3A 11.8).</content>
internal sealed partial class LocalApic
{
    private const uint SoftwareEnable = 1 << 8;
    private const int LowestLegalVector = 16;

    // The vector the processor would take now, or 0. Kept up to date by the processor's thread; senders only raise the flag beside it.
    private int _deliverable;
    private int _recheck;
    private int _signals;
    private byte _startupVector;

    /// <summary>The vector that can be delivered now as far as priorities go, or 0 when there is none. Cheap.</summary>
    public int PendingVector
    {
        get
        {
            if (Volatile.Read(ref _recheck) != 0)
                Recheck();
            return _deliverable;
        }
    }

    /// <summary>
    /// Whether the processor takes interrupts of the external controller: LINT0 passes them, or there is no APIC in the way.
    /// </summary>
    public bool PassesExternalInterrupts
    {
        get
        {
            if (_mode == ApicMode.Disabled)
                return true;
            uint lint0 = _localVectors[Lint0Index];
            return (lint0 & LocalVectorMasked) == 0 && DeliveryModeOf(lint0) == ApicDeliveryMode.External;
        }
    }

    /// <summary>The priority that arbitration for lowest-priority messages compares.</summary>
    public uint ArbitrationPriority => _processorPriority;

    /// <summary>What waits besides vectors.</summary>
    public ApicSignals Signals => (ApicSignals)Volatile.Read(ref _signals);

    /// <summary>The page of the last start-up interrupt.</summary>
    public byte StartupVector => Volatile.Read(ref _startupVector);

    /// <summary>Takes the deliverable interrupt: it is in service from now on.</summary>
    /// <returns>The vector; the spurious vector when there is nothing to take.</returns>
    public byte Acknowledge()
    {
        int vector = PendingVector;
        if (vector == 0 || !_request.Remove(vector))
            return (byte)_spuriousVector;
        _inService.Add(vector);
        UpdatePriority();
        return (byte)vector;
    }

    /// <summary>Takes a signal: it no longer waits.</summary>
    /// <returns>Whether it waited.</returns>
    public bool TakeSignal(ApicSignals signal) => (Interlocked.And(ref _signals, ~(int)signal) & (int)signal) != 0;

    /// <summary>Accepts a vector into the request register. From any thread.</summary>
    /// <param name="vector">The vector; below 16 it is an error, not an interrupt.</param>
    /// <param name="levelTriggered">Its EOI is to be reported.</param>
    /// <returns>False when the APIC does not take vectors now.</returns>
    public bool Accept(int vector, bool levelTriggered)
    {
        if (!IsSoftwareEnabled)
            return false;
        if (vector < LowestLegalVector)
        {
            ReportError(ApicErrors.ReceiveIllegalVector);
            return true;
        }

        if (levelTriggered)
            _triggerMode.Add(vector);
        else
            _triggerMode.Remove(vector);
        _request.Add(vector);
        Volatile.Write(ref _recheck, 1);
        _host.Kick();
        return true;
    }

    /// <summary>
    /// Signals NMI, INIT, a start-up interrupt or ExtINT. From any thread; works also while disabled by software (SDM Vol. 3A
    /// 11.4.7.2).
    /// </summary>
    /// <param name="signal">One flag.</param>
    /// <param name="startupVector">The page of a start-up interrupt.</param>
    public void Signal(ApicSignals signal, byte startupVector = 0)
    {
        if (signal == ApicSignals.Startup)
            Volatile.Write(ref _startupVector, startupVector);

        int before = Volatile.Read(ref _signals);
        while (true)
        {
            // INIT undoes a start-up interrupt that came before it.
            int kept = signal == ApicSignals.Init ? before & ~(int)ApicSignals.Startup : before;
            int observed = Interlocked.CompareExchange(ref _signals, kept | (int)signal, before);
            if (observed == before)
                break;
            before = observed;
        }

        _host.Kick();
    }

    private void EndOfInterrupt()
    {
        int vector = _inService.Highest();
        if (vector == 0)
            return;
        _inService.Remove(vector);
        UpdatePriority();
        if (!_triggerMode.Contains(vector))
            return;
        EndLocalLevelInterrupt(vector);
        _host.OnEndOfInterrupt((byte)vector);
    }

    /// <summary>Works PPR out anew (SDM Vol. 3A 11.8.3.1), and with it what can be delivered.</summary>
    private void UpdatePriority()
    {
        uint inService = (uint)_inService.Highest() & 0xF0;
        _processorPriority = (_taskPriority & 0xF0) >= inService ? _taskPriority : inService;
        Recheck();
        if (_deliverable != 0)
            _host.Kick();
    }

    private void Recheck()
    {
        // The flag goes down first: a vector that arrives after the scan raises it again.
        Interlocked.Exchange(ref _recheck, 0);
        int highest = _mode == ApicMode.Disabled ? 0 : _request.Highest();
        _deliverable = (highest & 0xF0) > (int)(_processorPriority & 0xF0) ? highest : 0;
    }
}
