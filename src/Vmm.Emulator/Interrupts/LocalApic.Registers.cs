namespace Vmm.Emulator.Interrupts;

/// <content>The registers by their offset, as both forms of access see them (SDM Vol. 3A table 11-1).</content>
internal sealed partial class LocalApic
{
    // Integrated APIC, six local vector table entries.
    private const uint VersionValue = 0x14 | ((LocalVectorCount - 1) << 16);
    private const uint SpuriousVectorBits = 0x3FF;
    private const uint CommandBits = 0xC_CFFF;

    /// <summary>Reads a register. False where there is none.</summary>
    private bool TryReadRegister(int offset, out uint value)
    {
        value = 0;
        switch (offset)
        {
            case ApicRegister.Id:
                value = _mode == ApicMode.X2Apic ? Id : Id << 24;
                return true;
            case ApicRegister.Version:
                value = VersionValue;
                return true;
            case ApicRegister.TaskPriority:
                value = _taskPriority;
                return true;
            case ApicRegister.ProcessorPriority:
                value = _processorPriority;
                return true;
            case ApicRegister.ArbitrationPriority or ApicRegister.RemoteRead or ApicRegister.EndOfInterrupt:
                return true;
            case ApicRegister.LogicalDestination:
                value = _logicalDestination;
                return true;
            case ApicRegister.DestinationFormat:
                value = _destinationFormat;
                return true;
            case ApicRegister.SpuriousVector:
                value = _spuriousVector;
                return true;
            case >= ApicRegister.InService and < ApicRegister.InService + 0x80:
                value = _inService.GetRegister((offset >> 4) & 7);
                return true;
            case >= ApicRegister.TriggerMode and < ApicRegister.TriggerMode + 0x80:
                value = _triggerMode.GetRegister((offset >> 4) & 7);
                return true;
            case >= ApicRegister.Request and < ApicRegister.Request + 0x80:
                value = _request.GetRegister((offset >> 4) & 7);
                return true;
            case ApicRegister.ErrorStatus:
                value = _errorStatus;
                return true;
            case ApicRegister.CommandLow:
                value = (uint)_command;
                return true;
            case ApicRegister.CommandHigh:
                value = (uint)(_command >> 32);
                return true;
            case >= ApicRegister.Timer and <= ApicRegister.Error:
                value = _localVectors[(offset - ApicRegister.Timer) >> 4];
                return true;
            case ApicRegister.InitialCount:
                value = _timer.InitialCount;
                return true;
            case ApicRegister.CurrentCount:
                value = _timer.CurrentCount;
                return true;
            case ApicRegister.DivideConfiguration:
                value = _timer.DivideConfiguration;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Writes a register; what it cannot hold is dropped. False where there is none. Read-only ones take no notice.</summary>
    private bool TryWriteRegister(int offset, uint value)
    {
        switch (offset)
        {
            case ApicRegister.TaskPriority:
                _taskPriority = value & 0xFF;
                UpdatePriority();
                return true;
            case ApicRegister.EndOfInterrupt:
                EndOfInterrupt();
                return true;
            case ApicRegister.LogicalDestination:
                _logicalDestination = value & 0xFF00_0000;
                return true;
            case ApicRegister.DestinationFormat:
                _destinationFormat = value | 0x0FFF_FFFF;
                return true;
            case ApicRegister.SpuriousVector:
                _spuriousVector = value & SpuriousVectorBits;
                if ((value & SoftwareEnable) == 0)
                    MaskLocalVectors();
                return true;
            case ApicRegister.ErrorStatus:
                WriteErrorStatus();
                return true;
            case ApicRegister.CommandLow:
                _command = (_command & ~(ulong)uint.MaxValue) | (value & CommandBits);
                SendCommand();
                return true;
            case ApicRegister.CommandHigh:
                _command = ((ulong)(value & 0xFF00_0000) << 32) | (uint)_command;
                return true;
            case >= ApicRegister.Timer and <= ApicRegister.Error:
                WriteLocalVector((offset - ApicRegister.Timer) >> 4, value);
                return true;
            case ApicRegister.InitialCount:
                PollTimer();
                _timer.InitialCount = value;
                _host.OnDeadlineChanged();
                return true;
            case ApicRegister.DivideConfiguration:
                PollTimer();
                _timer.DivideConfiguration = value;
                _host.OnDeadlineChanged();
                return true;
            default:
                return TryReadRegister(offset, out _);
        }
    }
}
