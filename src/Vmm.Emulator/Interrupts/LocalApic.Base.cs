namespace Vmm.Emulator.Interrupts;

/// <content>IA32_APIC_BASE and the changes of mode (SDM Vol. 3A 11.4.4 and 11.12.5).</content>
internal sealed partial class LocalApic
{
    /// <summary>The MSR's number.</summary>
    public const uint BaseMsr = 0x1B;

    private const ulong DefaultBase = 0xFEE0_0000;
    private const ulong BaseBootstrap = 1 << 8;
    private const ulong BaseX2Apic = 1 << 10;
    private const ulong BaseEnable = 1 << 11;
    private const ulong BaseReserved = 0x2FF;
    private const ulong BaseAddressMask = ~0xFFFUL;

    /// <summary>IA32_APIC_BASE.</summary>
    public ulong Base => _base;

    /// <summary>WRMSR to IA32_APIC_BASE.</summary>
    /// <param name="value">The value.</param>
    /// <returns>False for #GP(0): a reserved bit, or a change of mode that is not allowed.</returns>
    public bool TryWriteBase(ulong value)
    {
        ulong reserved = BaseReserved | (ulong.MaxValue << _options.PhysicalAddressWidth) | (_options.HasX2Apic ? 0 : BaseX2Apic);
        if ((value & reserved) != 0 || (value & (BaseEnable | BaseX2Apic)) == BaseX2Apic)
            return false;
        ApicMode mode = ModeOf(value);
        if (mode == ApicMode.X2Apic && _mode == ApicMode.Disabled)
            return false;
        if (mode == ApicMode.XApic && _mode == ApicMode.X2Apic)
            return false;

        ApicMode before = _mode;
        _base = value;
        _mode = mode;
        if (mode == before)
            return true;
        if (mode == ApicMode.X2Apic)
        {
            // The rest of the state stays; the logical id is the processor's own, and the ICR's upper half starts at zero.
            _logicalDestination = LogicalIdOf(Id);
            _command &= uint.MaxValue;
        }
        else
        {
            // Disabling loses the state, enabling starts from the one after power-up.
            ResetRegisters();
            _host.OnDeadlineChanged();
        }

        return true;
    }

    /// <summary>Sets IA32_APIC_BASE as it was saved, whatever the mode is now.</summary>
    /// <returns>False when the value is impossible.</returns>
    public bool TryRestoreBase(ulong value)
    {
        ulong before = _base;
        ApicMode modeBefore = _mode;
        _mode = ModeOf(value) == ApicMode.X2Apic ? ApicMode.XApic : ApicMode.Disabled;
        if (TryWriteBase(value))
            return true;
        _base = before;
        _mode = modeBefore;
        return false;
    }

    private static ApicMode ModeOf(ulong value)
    {
        if ((value & BaseEnable) == 0)
            return ApicMode.Disabled;
        return (value & BaseX2Apic) != 0 ? ApicMode.X2Apic : ApicMode.XApic;
    }
}
