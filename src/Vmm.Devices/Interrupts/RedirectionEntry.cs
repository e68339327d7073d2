namespace Vmm.Devices;

/// <summary>One entry of an I/O APIC's redirection table (Intel 82093AA data sheet, 3.2.4).</summary>
internal struct RedirectionEntry
{
    private const ulong LogicalDestination = 1 << 11;
    private const ulong Level = 1 << 15;
    private const ulong Masked = 1 << 16;
    private const ulong RemoteRequestBit = 1 << 14;
    private const uint WritableLow = 0x1_AFFF;
    private const uint WritableHigh = 0xFF00_0000;

    private ulong _value;

    /// <summary>As after reset: masked, all else zero.</summary>
    public static RedirectionEntry Reset => new() { _value = Masked };

    public readonly uint Low => (uint)_value;

    public readonly uint High => (uint)(_value >> 32);

    public readonly byte Vector => (byte)_value;

    public readonly bool IsMasked => (_value & Masked) != 0;

    /// <summary>Whether the level counts: only fixed and lowest-priority delivery have level-triggered interrupts.</summary>
    public readonly bool IsLevelTriggered => (_value & Level) != 0 && ((_value >> 8) & 7) <= 1;

    /// <summary>Remote IRR: a level-triggered interrupt has been sent and its EOI not yet seen.</summary>
    public bool AwaitsEnd
    {
        readonly get => (_value & RemoteRequestBit) != 0;
        set => _value = value ? _value | RemoteRequestBit : _value & ~RemoteRequestBit;
    }

    /// <summary>The whole entry with its flags, as it is saved; bits that no entry has are dropped.</summary>
    public ulong State
    {
        readonly get => _value;
        set => _value = value & (((ulong)WritableHigh << 32) | WritableLow | RemoteRequestBit);
    }

    public void WriteLow(uint value)
    {
        _value = (_value & ~(ulong)WritableLow) | (value & WritableLow);
        // An edge-triggered entry waits for no EOI; programs clear the flag by switching there and back.
        if ((_value & Level) == 0)
            AwaitsEnd = false;
    }

    public void WriteHigh(uint value) => _value = (uint)_value | ((ulong)(value & WritableHigh) << 32);

    /// <summary>The message this entry sends.</summary>
    /// <returns>False when its delivery mode is none that a processor here takes (SMI and reserved codes).</returns>
    public readonly bool TryGetMessage(out InterruptRequest request)
    {
        InterruptDeliveryMode mode = (InterruptDeliveryMode)((_value >> 8) & 7);
        request = new InterruptRequest
        {
            Vector = Vector,
            Mode = mode,
            Destination = (uint)(_value >> 56),
            Logical = (_value & LogicalDestination) != 0,
            LevelTriggered = IsLevelTriggered,
        };
        return Enum.IsDefined(mode);
    }
}
