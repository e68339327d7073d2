using System.Buffers.Binary;

namespace Vmm.Emulator.Interrupts;

/// <content>Saving and restoring as a register page, the form that other platforms use too.</content>
internal sealed partial class LocalApic
{
    /// <summary>Bytes of a saved register page.</summary>
    public const int SavedPageSize = ApicRegister.SpaceSize;

    // In a part of the error status's slot that no register uses: errors since the guest last wrote it.
    private const int PendingErrors = ApicRegister.ErrorStatus + 4;

    /// <summary>
    /// Saves the registers at their xAPIC offsets, whatever the mode; what was left of the timer's count is in the current count.
    /// IA32_APIC_BASE, IA32_TSC_DEADLINE and <see cref="Signals"/> are not part of the page.
    /// </summary>
    /// <param name="page">At least <see cref="SavedPageSize"/> bytes.</param>
    public void SavePage(Span<byte> page)
    {
        PollTimer(); // what has run out is an interrupt by now
        page[..SavedPageSize].Clear();
        for (int offset = 0; offset < SavedPageSize; offset += 16)
        {
            if (TryReadRegister(offset, out uint value))
                BinaryPrimitives.WriteUInt32LittleEndian(page[offset..], value);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(page[PendingErrors..], Volatile.Read(ref _errors));
    }

    /// <summary>
    /// Restores registers saved by <see cref="SavePage"/>, after IA32_APIC_BASE and before IA32_TSC_DEADLINE. Nothing is sent.
    /// </summary>
    /// <param name="page">At least <see cref="SavedPageSize"/> bytes.</param>
    public void RestorePage(ReadOnlySpan<byte> page)
    {
        _taskPriority = Saved(page, ApicRegister.TaskPriority) & 0xFF;
        _logicalDestination = _mode == ApicMode.X2Apic ? LogicalIdOf(Id) : Saved(page, ApicRegister.LogicalDestination) & 0xFF00_0000;
        _destinationFormat = Saved(page, ApicRegister.DestinationFormat) | 0x0FFF_FFFF;
        _spuriousVector = Saved(page, ApicRegister.SpuriousVector) & SpuriousVectorBits;
        _errorStatus = Saved(page, ApicRegister.ErrorStatus);
        uint errors = Saved(page, PendingErrors) & 0xFF;
        Volatile.Write(ref _errors, errors);
        Volatile.Write(ref _errorReported, errors != 0 ? 1 : 0);
        _command = ((ulong)Saved(page, ApicRegister.CommandHigh) << 32) | (Saved(page, ApicRegister.CommandLow) & CommandBits);
        for (int i = 0; i < 8; i++)
        {
            // Vectors below 16 are never pending.
            uint legal = i == 0 ? 0xFFFF_0000 : uint.MaxValue;
            _inService.SetRegister(i, Saved(page, ApicRegister.InService + (i * 16)) & legal);
            _triggerMode.SetRegister(i, Saved(page, ApicRegister.TriggerMode + (i * 16)) & legal);
            _request.SetRegister(i, Saved(page, ApicRegister.Request + (i * 16)) & legal);
        }

        for (int i = 0; i < LocalVectorCount; i++)
            _localVectors[i] = Saved(page, ApicRegister.Timer + (i * 16)) & LocalVectorBits(i);
        _timer.Reset();
        _timer.Mode = TimerModeOf(_localVectors[TimerIndex]);
        _timer.DivideConfiguration = Saved(page, ApicRegister.DivideConfiguration);
        _timer.Restore(Saved(page, ApicRegister.InitialCount), Saved(page, ApicRegister.CurrentCount));
        UpdatePriority();
        _host.OnDeadlineChanged();
    }

    /// <summary>Sets what waits besides vectors.</summary>
    public void RestoreSignals(ApicSignals signals, byte startupVector)
    {
        Volatile.Write(ref _startupVector, startupVector);
        Interlocked.Exchange(ref _signals, (int)signals);
        if (signals != ApicSignals.None)
            _host.Kick();
    }

    private static uint Saved(ReadOnlySpan<byte> page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page[offset..]);
}
