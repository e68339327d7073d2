namespace Vmm.Devices;

/// <summary>
/// The PIIX4 power-management function, 8086:7113: places a block of 64 power-management ports where the guest's firmware says (PMBASE at
/// 0x40, enabled by bit 0 of PMREGMISC at 0x80). What the ports do is the block's business.
/// </summary>
public sealed class PiixPowerManagement : PciFunction
{
    /// <summary>Ports of the block.</summary>
    public const int BlockSize = 64;

    private const int Base = 0x40;
    private const int Miscellaneous = 0x80;

    private readonly PortBus _ports;
    private readonly IMmioDevice _block;
    private readonly ushort _initialBase;
    private IDisposable? _registration;
    private ushort? _wanted;

    /// <summary>Makes the function.</summary>
    /// <param name="ports">Where the block appears.</param>
    /// <param name="block">The block's registers, by offset.</param>
    /// <param name="initialBase">
    /// First port of the block at power-on, a multiple of 64, for machines that start without firmware; 0 = firmware places it.
    /// </param>
    public PiixPowerManagement(PortBus ports, IMmioDevice block, ushort initialBase = 0)
        : base(new PciIdentity(0x8086, 0x7113, 0x06_8000)
        {
            Revision = 3,
            SubsystemVendorId = 0x1AF4,
            SubsystemId = 0x1100,
            InterruptPin = 1,
        })
    {
        ArgumentNullException.ThrowIfNull(ports);
        ArgumentNullException.ThrowIfNull(block);
        if (initialBase % BlockSize != 0)
            throw new ArgumentException($"0x{initialBase:X} is not a multiple of {BlockSize}.", nameof(initialBase));
        _ports = ports;
        _block = block;
        _initialBase = initialBase;
        Put16(0x06, 0x0280);
        // The interrupt of this function is wired to interrupt request 9.
        Put8(0x3C, 9);
        SetWritable(Base, 4, 0xFFC0);
        SetWritable(0x58, 4, 0xFFFF_FFFF);
        SetWritable(Miscellaneous, 1, 0x01);
        // System management mode is said to be set up already: there is none, and firmware would wait for it.
        Put8(0x5B, 0x02);
        // The SMBus host's base and configuration: state only, there is no SMBus.
        Put32(0x90, 1);
        SetWritable(0x90, 4, 0xFFF0);
        SetWritable(0xD2, 1, 0x0F);
        SetInitialBase();
        Place();
    }

    /// <summary>The block's first port; null = it is not decoded, or something else is there.</summary>
    public ushort? Address => _registration is null ? null : _wanted;

    /// <inheritdoc/>
    protected override void OnConfigurationWritten(int offset, int size, uint value)
    {
        if (Touches(offset, size, Base, 4) || Touches(offset, size, Miscellaneous, 1))
            Place();
    }

    /// <inheritdoc/>
    protected override void OnReset() => Place();

    /// <inheritdoc/>
    protected override void OnExchangeState(DeviceStateExchange state)
    {
        if (state.IsLoading)
            Place();
    }

    private void SetInitialBase()
    {
        Put32(Base, _initialBase | 1u);
        Put8(Miscellaneous, _initialBase != 0 ? (byte)1 : (byte)0);
    }

    private void Place()
    {
        ushort first = (ushort)(Get16(Base) & 0xFFC0);
        ushort? wanted = (Get8(Miscellaneous) & 1) != 0 && first != 0 ? first : null;
        if (wanted == _wanted && _registration is not null)
            return;
        _registration?.Dispose();
        _wanted = wanted;
        _registration = wanted is { } port
            ? _ports.TryRegister(port, BlockSize, new PciPortWindow(port, BlockSize, _block), "power management")
            : null;
    }
}
