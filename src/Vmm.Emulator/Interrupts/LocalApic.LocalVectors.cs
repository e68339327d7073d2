using System.Runtime.CompilerServices;

namespace Vmm.Emulator.Interrupts;

/// <content>The local vector table, the interrupt pins, the timer and the error register (SDM Vol. 3A 11.5).</content>
internal sealed partial class LocalApic
{
    private const int TimerIndex = 0;
    private const int Lint0Index = 3;
    private const int Lint1Index = 4;
    private const int ErrorIndex = 5;
    private const int LocalVectorCount = 6;
    private const uint LocalVectorMasked = 1 << 16;
    private const uint LocalVectorLevel = 1 << 15;
    private const uint LocalVectorRemote = 1 << 14;
    private const uint LocalVectorSending = 1 << 12;
    private const int TimerModeShift = 17;

    private LocalVectors _localVectors;
    private bool _lint0Asserted;
    private bool _lint1Asserted;
    private uint _errorStatus;
    private uint _errors;
    private int _errorReported;

    /// <summary>The clock's value at which the timer interrupts next; <see cref="LocalApicTimer.Never"/> when it will not.</summary>
    public ulong NextDeadline => (_localVectors[TimerIndex] & LocalVectorMasked) != 0 ? LocalApicTimer.Never : _timer.NextDeadline;

    /// <summary>Raises the timer's interrupt where its time has come.</summary>
    public void PollTimer()
    {
        if (!_timer.Poll())
            return;
        TriggerLocal(TimerIndex);
        _host.OnDeadlineChanged();
    }

    /// <summary>
    /// Drives an interrupt pin of the processor. LINT0 carries the external controller, LINT1 NMI, where the guest says so.
    /// </summary>
    /// <param name="pin">0 or 1.</param>
    /// <param name="asserted">Its level; polarity is the wiring's business.</param>
    public void SetPin(int pin, bool asserted)
    {
        ref bool level = ref pin == 0 ? ref _lint0Asserted : ref _lint1Asserted;
        bool rising = asserted && !level;
        level = asserted;
        int index = Lint0Index + pin;
        if (_mode == ApicMode.Disabled)
        {
            // Without an APIC the pins are INTR and NMI; the source of INTR is asked directly.
            if (rising && pin == 1)
                Signal(ApicSignals.NonMaskable);
        }
        else if (IsLevelTriggered(index))
        {
            TriggerLevel(index);
        }
        else if (rising)
        {
            TriggerLocal(index);
        }
    }

    /// <summary>Masks of what can be written to each entry: timer, thermal, performance, LINT0, LINT1, error.</summary>
    private uint WritableBits(int index) => index switch
    {
        TimerIndex => _options.HasTscDeadline ? 0x7_00FFu : 0x3_00FF,
        Lint0Index or Lint1Index => 0x1_A7FF,
        ErrorIndex => 0x1_00FF,
        _ => 0x1_07FF,
    };

    private static uint ReadOnlyBits(int index) =>
        index is Lint0Index or Lint1Index ? LocalVectorSending | LocalVectorRemote : LocalVectorSending;

    private void WriteLocalVector(int index, uint value)
    {
        PollTimer();
        uint before = _localVectors[index];
        uint entry = value & WritableBits(index);
        if (IsLevelTriggered(index))
            entry |= before & LocalVectorRemote;
        if ((_spuriousVector & SoftwareEnable) == 0)
            entry |= LocalVectorMasked;
        _localVectors[index] = entry;
        if (index == TimerIndex)
        {
            _timer.Mode = TimerModeOf(entry);
            _host.OnDeadlineChanged();
        }
        else if (IsLevelTriggered(index))
        {
            TriggerLevel(index);
        }
    }

    private void ResetLocalVectors()
    {
        for (int i = 0; i < LocalVectorCount; i++)
            _localVectors[i] = LocalVectorMasked;
        _errorStatus = 0;
        Volatile.Write(ref _errors, 0);
        Volatile.Write(ref _errorReported, 0);
    }

    /// <summary>While the APIC is disabled by software, every entry is masked.</summary>
    private void MaskLocalVectors()
    {
        PollTimer();
        for (int i = 0; i < LocalVectorCount; i++)
            _localVectors[i] |= LocalVectorMasked;
        _host.OnDeadlineChanged();
    }

    private void TriggerLocal(int index)
    {
        uint entry = Volatile.Read(ref _localVectors[index]);
        if ((entry & LocalVectorMasked) != 0)
            return;

        // The timer's and the error's entries have no delivery mode: those bits are zero, which is fixed.
        switch (DeliveryModeOf(entry))
        {
            case ApicDeliveryMode.Fixed:
                Accept((byte)entry, false);
                break;
            case ApicDeliveryMode.NonMaskable:
                Signal(ApicSignals.NonMaskable);
                break;
            case ApicDeliveryMode.Init:
                Signal(ApicSignals.Init);
                break;
            default:
                // ExtINT is asked for through PassesExternalInterrupts; SMI goes nowhere.
                break;
        }
    }

    /// <summary>LINT1 is edge-triggered whatever its entry says; LINT0 only in fixed mode (SDM Vol. 3A 11.5.1).</summary>
    private bool IsLevelTriggered(int index) =>
        index == Lint0Index
        && (_localVectors[index] & LocalVectorLevel) != 0
        && DeliveryModeOf(_localVectors[index]) == ApicDeliveryMode.Fixed;

    private void TriggerLevel(int index)
    {
        uint entry = _localVectors[index];
        if (!_lint0Asserted || (entry & (LocalVectorMasked | LocalVectorRemote)) != 0)
            return;
        if (Accept((byte)entry, true))
            _localVectors[index] = entry | LocalVectorRemote;
    }

    private void EndLocalLevelInterrupt(int vector)
    {
        uint entry = _localVectors[Lint0Index];
        if ((entry & LocalVectorRemote) == 0 || (byte)entry != vector)
            return;
        _localVectors[Lint0Index] = entry & ~LocalVectorRemote;
        TriggerLevel(Lint0Index);
    }

    /// <summary>Notes an error; the first one since the guest wrote the ESR interrupts. From any thread.</summary>
    private void ReportError(ApicErrors error)
    {
        Interlocked.Or(ref _errors, (uint)error);
        if (Interlocked.Exchange(ref _errorReported, 1) != 0)
            return;

        // An error entry with an illegal vector must not report itself without end.
        uint entry = Volatile.Read(ref _localVectors[ErrorIndex]);
        if ((entry & 0xFF) >= LowestLegalVector)
            TriggerLocal(ErrorIndex);
    }

    /// <summary>A write of any value shows the errors noted since the last one, and lets the next error interrupt again.</summary>
    private void WriteErrorStatus()
    {
        Volatile.Write(ref _errorReported, 0);
        _errorStatus = Interlocked.Exchange(ref _errors, 0);
    }

    /// <summary>The fourth encoding is reserved; it counts once.</summary>
    private static LocalApicTimerMode TimerModeOf(uint entry)
    {
        LocalApicTimerMode mode = (LocalApicTimerMode)((entry >> TimerModeShift) & 3);
        return mode > LocalApicTimerMode.TscDeadline ? LocalApicTimerMode.OneShot : mode;
    }

    private static ApicDeliveryMode DeliveryModeOf(uint entry) => (ApicDeliveryMode)((entry >> 8) & 7);

    [InlineArray(LocalVectorCount)]
    private struct LocalVectors
    {
        private uint _first;
    }
}
