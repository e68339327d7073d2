namespace Vmm.Emulator.Interrupts;

/// <content>The MSRs: x2APIC registers (SDM Vol. 3A 11.12.1.2 and table 11-6) and IA32_TSC_DEADLINE.</content>
internal sealed partial class LocalApic
{
    /// <summary>The first x2APIC MSR.</summary>
    public const uint FirstMsr = 0x800;

    /// <summary>The last MSR of the range that x2APIC mode reserves.</summary>
    public const uint LastMsr = 0x8FF;

    /// <summary>IA32_TSC_DEADLINE.</summary>
    public const uint TscDeadlineMsr = 0x6E0;

    /// <summary>Whether an MSR belongs to the local APIC.</summary>
    public static bool OwnsMsr(uint msr) => msr is BaseMsr or TscDeadlineMsr or (>= FirstMsr and <= LastMsr);

    /// <summary>RDMSR of an MSR that <see cref="OwnsMsr"/>.</summary>
    /// <param name="msr">The MSR.</param>
    /// <param name="value">Its value.</param>
    /// <returns>False for #GP(0).</returns>
    public bool TryReadMsr(uint msr, out ulong value)
    {
        value = 0;
        if (msr == BaseMsr)
        {
            value = _base;
            return true;
        }

        if (msr == TscDeadlineMsr)
        {
            PollTimer();
            value = _timer.TscDeadline;
            return _options.HasTscDeadline;
        }

        int offset = OffsetOf(msr);
        if (_mode != ApicMode.X2Apic || !IsReadableMsr(offset))
            return false;
        if (offset == ApicRegister.CommandLow)
        {
            value = _command;
            return true;
        }

        if (offset == ApicRegister.CurrentCount)
            PollTimer();
        bool found = TryReadRegister(offset, out uint register);
        value = register;
        return found;
    }

    /// <summary>WRMSR of an MSR that <see cref="OwnsMsr"/>.</summary>
    /// <param name="msr">The MSR.</param>
    /// <param name="value">The value.</param>
    /// <returns>False for #GP(0); nothing has changed then.</returns>
    public bool TryWriteMsr(uint msr, ulong value)
    {
        if (msr == BaseMsr)
            return TryWriteBase(value);
        if (msr == TscDeadlineMsr)
        {
            if (!_options.HasTscDeadline)
                return false;
            PollTimer();
            _timer.TscDeadline = value;
            _host.OnDeadlineChanged();
            PollTimer();
            return true;
        }

        int offset = OffsetOf(msr);
        if (_mode != ApicMode.X2Apic || !IsWritableMsr(offset) || (value & ReservedBits(offset)) != 0)
            return false;
        switch (offset)
        {
            case ApicRegister.CommandLow:
                _command = value;
                SendCommand();
                return true;
            case ApicRegister.SelfIpi:
                SendSelf((byte)value);
                return true;
            default:
                return TryWriteRegister(offset, (uint)value);
        }
    }

    private static int OffsetOf(uint msr) => (int)(msr - FirstMsr) << 4;

    private static bool IsReadableMsr(int offset) => offset
        is not (ApicRegister.EndOfInterrupt or ApicRegister.DestinationFormat or ApicRegister.CommandHigh or ApicRegister.SelfIpi
            or ApicRegister.ArbitrationPriority or ApicRegister.RemoteRead);

    /// <summary>Bits of a writable register whose setting raises #GP(0).</summary>
    private ulong ReservedBits(int offset)
    {
        const ulong UpperHalf = ~(ulong)uint.MaxValue;
        return offset switch
        {
            ApicRegister.TaskPriority or ApicRegister.SelfIpi => ~0xFFUL,
            ApicRegister.EndOfInterrupt or ApicRegister.ErrorStatus => ulong.MaxValue,
            ApicRegister.SpuriousVector => ~(ulong)SpuriousVectorBits,
            ApicRegister.CommandLow => ~(UpperHalf | CommandBits),
            >= ApicRegister.Timer and <= ApicRegister.Error => ~(ulong)LocalVectorBits((offset - ApicRegister.Timer) >> 4),
            ApicRegister.InitialCount => UpperHalf,
            ApicRegister.DivideConfiguration => ~0xBUL,
            _ => ulong.MaxValue,
        };
    }

    private uint LocalVectorBits(int index) => WritableBits(index) | ReadOnlyBits(index);

    private static bool IsWritableMsr(int offset) => offset
        is ApicRegister.TaskPriority or ApicRegister.SelfIpi or ApicRegister.EndOfInterrupt or ApicRegister.ErrorStatus
            or ApicRegister.SpuriousVector or ApicRegister.CommandLow or (>= ApicRegister.Timer and <= ApicRegister.Error)
            or ApicRegister.InitialCount or ApicRegister.DivideConfiguration;
}
