namespace Vmm.Devices;

/// <summary>
/// The PIIX3 PCI-to-ISA bridge, 8086:7000: routes the bus's four interrupt lines to ISA interrupt requests (PIRQ route control registers
/// 0x60-0x63) and, unconditionally, to further lines such as an I/O APIC's inputs.
/// </summary>
/// <remarks>
/// Edge/level control (ports 0x4D0 and 0x4D1) is the interrupt controllers' part: <see cref="PicPair"/>. An interrupt request is driven
/// while any line routed to it is asserted; a wire that other devices drive too must combine them itself.
/// </remarks>
public sealed class PiixIsaBridge : PciFunction
{
    /// <summary>Offset of the four route control registers.</summary>
    public const int RouteControl = 0x60;

    private const int LineCount = 4;
    private const byte NotRouted = 0x80;

    // Interrupt requests that a route may name (data sheet 3.1.11); the others are reserved and route nowhere.
    private const int Routable = 0xDEF8;

    private readonly Lock _routeGate = new();
    private readonly Func<int, IInterruptLine> _isaLine;
    private readonly IInterruptLine?[] _isaLines = new IInterruptLine?[16];
    private readonly IReadOnlyList<IInterruptLine> _directLines;
    private readonly byte[] _routes = [NotRouted, NotRouted, NotRouted, NotRouted];
    private readonly bool[] _levels = new bool[LineCount];
    private int _driven;

    /// <summary>Makes the bridge; nothing is routed.</summary>
    /// <param name="isaLine">Gives the wire of an ISA interrupt request, asked once for each that a route names.</param>
    /// <param name="directLines">Four wires that follow PIRQA# to PIRQD# whatever the routes say; or none.</param>
    public PiixIsaBridge(Func<int, IInterruptLine> isaLine, IReadOnlyList<IInterruptLine>? directLines = null)
        : base(new PciIdentity(0x8086, 0x7000, 0x06_0100) { SubsystemVendorId = 0x1AF4, SubsystemId = 0x1100 })
    {
        ArgumentNullException.ThrowIfNull(isaLine);
        if (directLines is { Count: not (0 or LineCount) })
            throw new ArgumentException("There are four PCI interrupt lines.", nameof(directLines));
        _isaLine = isaLine;
        _directLines = directLines ?? [];
        Put16(0x04, 0x0007);
        SetWritable(0x04, 2, 0x0100);
        Put16(0x06, 0x0200);
        Put8(0x4C, 0x4D);
        SetWritable(0x4C, 1, 0x7F);
        Put8(0x4E, 0x03);
        SetWritable(0x4E, 2, 0x01FF);
        for (int line = 0; line < LineCount; line++)
        {
            Put8(RouteControl + line, NotRouted);
            SetWritable(RouteControl + line, 1, 0x8F);
        }
        Put8(0x69, 0x02);
        SetWritable(0x69, 1, 0xFE);
        Put8(0x82, 0x00);
        SetWritable(0x82, 1, 0x0F);
    }

    /// <summary>The ISA interrupt request that a line is routed to; null = none.</summary>
    /// <param name="line">0 = PIRQA# to 3 = PIRQD#.</param>
    public int? RouteOf(int line)
    {
        lock (_routeGate)
            return Target(line);
    }

    /// <summary>Takes a level of the bus's interrupt lines: what <see cref="PciBus.ConnectInterrupts"/> wants.</summary>
    /// <param name="line">0 = PIRQA# to 3 = PIRQD#.</param>
    /// <param name="level">True = asserted.</param>
    public void SetLine(int line, bool level)
    {
        lock (_routeGate)
        {
            _levels[line] = level;
            if (_directLines.Count != 0)
                _directLines[line].Set(level);
            Drive();
        }
    }

    /// <inheritdoc/>
    protected override void OnConfigurationWritten(int offset, int size, uint value)
    {
        if (Touches(offset, size, RouteControl, LineCount))
            CopyRoutes();
    }

    /// <inheritdoc/>
    protected override void OnReset() => CopyRoutes();

    /// <inheritdoc/>
    protected override void OnExchangeState(DeviceStateExchange state)
    {
        lock (_routeGate)
        {
            for (int line = 0; line < LineCount; line++)
                state.Value($"level-{line}", ref _levels[line]);
            if (!state.IsLoading)
                return;
            // The controllers restore the levels of their inputs themselves.
            ReadRoutes();
            _driven = Wanted();
        }
    }

    private void CopyRoutes()
    {
        lock (_routeGate)
        {
            ReadRoutes();
            Drive();
        }
    }

    private void ReadRoutes()
    {
        for (int line = 0; line < LineCount; line++)
            _routes[line] = Get8(RouteControl + line);
    }

    private int? Target(int line)
    {
        int request = _routes[line] & 0x0F;
        return (_routes[line] & NotRouted) == 0 && (Routable >> request & 1) != 0 ? request : null;
    }

    private int Wanted()
    {
        int wanted = 0;
        for (int line = 0; line < LineCount; line++)
        {
            if (_levels[line] && Target(line) is { } request)
                wanted |= 1 << request;
        }
        return wanted;
    }

    private void Drive()
    {
        int wanted = Wanted();
        int changed = wanted ^ _driven;
        _driven = wanted;
        for (int request = 0; changed != 0; request++, changed >>= 1)
        {
            if ((changed & 1) != 0)
                (_isaLines[request] ??= _isaLine(request)).Set((wanted >> request & 1) != 0);
        }
    }
}
