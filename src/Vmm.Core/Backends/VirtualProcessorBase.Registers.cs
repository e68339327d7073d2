namespace Vmm;

public abstract partial class VirtualProcessorBase
{
    private const int LocalApicSize = 1024;

    /// <inheritdoc/>
    public ulong this[Register register]
    {
        get
        {
            ulong value = 0;
            GetRegisters([register], new Span<ulong>(ref value));
            return value;
        }
        set => SetRegisters([register], [value]);
    }

    /// <inheritdoc/>
    public abstract int XsaveSize { get; }

    /// <inheritdoc/>
    public void GetRegisters(ReadOnlySpan<Register> registers, Span<ulong> values)
    {
        if (values.Length < registers.Length)
            throw new ArgumentException($"{registers.Length} registers do not fit in {values.Length} values.", nameof(values));
        BeginAtRest("read registers of");
        try
        {
            for (int i = 0; i < registers.Length; i++)
                values[i] = GetRegisterCore(Check(registers[i]));
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values)
    {
        if (values.Length < registers.Length)
            throw new ArgumentException($"{registers.Length} registers need as many values, not {values.Length}.", nameof(values));
        BeginChange();
        try
        {
            for (int i = 0; i < registers.Length; i++)
                SetRegisterCore(Check(registers[i]), values[i]);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void GetState(RegisterGroups groups, out ProcessorState state)
    {
        CheckGroups(groups);
        BeginAtRest("read registers of");
        try
        {
            state = default;
            GetStateCore(groups, ref state);
            if ((groups & RegisterGroups.Events) != 0)
                GetPendingEvents(ref state.Events);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void SetState(RegisterGroups groups, in ProcessorState state)
    {
        CheckGroups(groups);
        BeginChange();
        try
        {
            SetStateCore(groups, in state);
            if ((groups & RegisterGroups.Events) != 0)
                SetPendingEvents(in state.Events);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public ulong ReadMsr(uint msr)
    {
        BeginAtRest("read registers of");
        try
        {
            if (!TryReadMsrCore(msr, out ulong value))
                throw new ArgumentOutOfRangeException(nameof(msr), $"The {_partition.Capabilities.Backend} backend has no MSR 0x{msr:X}.");
            return value;
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void WriteMsr(uint msr, ulong value)
    {
        BeginChange();
        try
        {
            if (!TryReadMsrCore(msr, out _))
                throw new ArgumentOutOfRangeException(nameof(msr), $"The {_partition.Capabilities.Backend} backend has no MSR 0x{msr:X}.");
            if (!TryWriteMsrCore(msr, value))
                throw new ArgumentException($"MSR 0x{msr:X} does not take the value 0x{value:X}.", nameof(value));
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void GetXsave(Span<byte> area)
    {
        CheckArea(area);
        BeginAtRest("read registers of");
        try
        {
            GetXsaveCore(area[..XsaveSize]);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void SetXsave(ReadOnlySpan<byte> area)
    {
        CheckArea(area);
        BeginChange();
        try
        {
            SetXsaveCore(area[..XsaveSize]);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void GetLocalApic(Span<byte> page)
    {
        CheckLocalApic(page);
        BeginAtRest("read registers of");
        try
        {
            GetLocalApicCore(page[..LocalApicSize]);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void SetLocalApic(ReadOnlySpan<byte> page)
    {
        CheckLocalApic(page);
        BeginChange();
        try
        {
            SetLocalApicCore(page[..LocalApicSize]);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user = false)
    {
        BeginAtRest("translate through");
        try
        {
            return TranslateCore(linear, access, user);
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <summary>Reads one register.</summary>
    protected abstract ulong GetRegisterCore(Register register);

    /// <summary>Writes one register; refuses an impossible value with <see cref="ArgumentException"/> naming it.</summary>
    protected abstract void SetRegisterCore(Register register, ulong value);

    /// <summary>Fills the groups asked for; of the events, all but the injected ones, which the base knows and adds.</summary>
    protected abstract void GetStateCore(RegisterGroups groups, ref ProcessorState state);

    /// <summary>Writes the groups asked for, or nothing if one holds an impossible value.</summary>
    protected abstract void SetStateCore(RegisterGroups groups, in ProcessorState state);

    /// <summary>Reads an MSR; false when there is none of that number.</summary>
    protected abstract bool TryReadMsrCore(uint msr, out ulong value);

    /// <summary>Writes an MSR; false when the value is refused.</summary>
    protected abstract bool TryWriteMsrCore(uint msr, ulong value);

    /// <summary>Fills an XSAVE area of exactly <see cref="XsaveSize"/> bytes.</summary>
    protected abstract void GetXsaveCore(Span<byte> area);

    /// <summary>Loads an XSAVE area of exactly <see cref="XsaveSize"/> bytes.</summary>
    protected abstract void SetXsaveCore(ReadOnlySpan<byte> area);

    /// <summary>Fills 1024 bytes with the registers of the local APIC; called only where the partition has one.</summary>
    protected virtual void GetLocalApicCore(Span<byte> page) => _partition.Capabilities.Require(Capability.LocalApic);

    /// <summary>Loads the registers of the local APIC from 1024 bytes; called only where the partition has one.</summary>
    protected virtual void SetLocalApicCore(ReadOnlySpan<byte> page) => _partition.Capabilities.Require(Capability.LocalApic);

    /// <summary>Translates without side effects.</summary>
    protected abstract LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user);

    private static Register Check(Register register) =>
        register is >= Register.Rax and <= Register.ApicBase ? register : throw new ArgumentOutOfRangeException(nameof(register), register, "Unknown register.");

    private void CheckGroups(RegisterGroups groups)
    {
        if ((groups & ~RegisterGroups.All) != 0)
            throw new ArgumentOutOfRangeException(nameof(groups), groups, "Unknown register group.");
        if ((groups & RegisterGroups.Events) != 0)
            _partition.Capabilities.Require(Capability.EventState);
    }

    private void CheckArea(ReadOnlySpan<byte> area)
    {
        if (area.Length < XsaveSize)
            throw new ArgumentException($"The XSAVE area has {XsaveSize} bytes, not {area.Length}: allocate XsaveSize.", nameof(area));
    }

    private void CheckLocalApic(ReadOnlySpan<byte> page)
    {
        _partition.Capabilities.Require(Capability.LocalApic);
        _partition.Capabilities.Require(Capability.EventState);
        if (_partition.Options.LocalApic == LocalApicMode.None)
            throw new InvalidOperationException("The partition was created without local APICs: set PartitionOptions.LocalApic.");
        if (page.Length < LocalApicSize)
            throw new ArgumentException($"The registers of a local APIC have {LocalApicSize} bytes, not {page.Length}.", nameof(page));
    }

    private void BeginChange()
    {
        BeginAtRest("write registers of");
        if (_pending != PendingState.None)
        {
            EndAtRest();
            throw new InvalidOperationException($"Processor {Index} has a pending instruction ({_pendingExit}): finish it with CompletePending before changing its state.");
        }
        _terminal = ExitKind.None; // setting state revives a processor that ended
    }
}
