namespace Vmm;

/// <summary>Runs a processor and turns its exits into device calls on the buses, until an exit comes that it has no handler for.</summary>
/// <remarks>
/// <para>It handles port and memory-mapped I/O, writes to read-only memory and, with a handler, MSR accesses; every other exit is returned.
/// It allocates nothing per exit.</para>
/// <para>
/// Used by one thread at a time, as the processor itself. An exception of a device passes through and leaves that access pending: who
/// catches it may still complete it on the processor.
/// </para>
/// </remarks>
public sealed class VirtualProcessorLoop
{
    private const int RecentCount = 16;

    private readonly IVirtualProcessor _processor;
    private readonly PortBus _ports;
    private readonly MmioBus _mmio;
    private readonly VpExit[] _recent = new VpExit[RecentCount];
    private ulong _seen;

    /// <summary>Makes a loop.</summary>
    /// <param name="processor">The processor.</param>
    /// <param name="ports">Where port accesses go.</param>
    /// <param name="mmio">Where accesses to unmapped memory go.</param>
    public VirtualProcessorLoop(IVirtualProcessor processor, PortBus ports, MmioBus mmio)
    {
        ArgumentNullException.ThrowIfNull(processor);
        ArgumentNullException.ThrowIfNull(ports);
        ArgumentNullException.ThrowIfNull(mmio);
        _processor = processor;
        _ports = ports;
        _mmio = mmio;
    }

    /// <summary>The processor.</summary>
    public IVirtualProcessor Processor => _processor;

    /// <summary>
    /// Decides writes to memory that the guest may not write; null = <see cref="WriteResolution.Discard"/>, as a ROM does.
    /// </summary>
    public ViolatingWriteHandler? ViolatingWrite { get; init; }

    /// <summary>Answers MSR accesses; null = they are returned.</summary>
    public IMsrHandler? Msrs { get; init; }

    /// <summary>Exits handled so far.</summary>
    public ulong HandledExits { get; private set; }

    /// <summary>
    /// The last exits other than cancels, at most 16, oldest first: for reports of a processor that stopped for good. Allocates; not while
    /// it runs.
    /// </summary>
    public IReadOnlyList<VpExit> RecentExits
    {
        get
        {
            int count = (int)Math.Min(_seen, RecentCount);
            VpExit[] exits = new VpExit[count];
            for (int i = 0; i < count; i++)
                exits[i] = _recent[(_seen - (ulong)(count - i)) % RecentCount];
            return exits;
        }
    }

    /// <summary>Runs until an exit that this loop does not handle.</summary>
    /// <returns>That exit: HLT, shutdown, cancel, failure, a refused read or fetch, and so on.</returns>
    public VpExit Run()
    {
        while (true)
        {
            VpExit exit = _processor.Run();
            if (exit.Kind != ExitKind.Cancelled)
                _recent[_seen++ % RecentCount] = exit;
            if (!TryHandle(in exit))
                return exit;
        }
    }

    /// <summary>
    /// Runs until an exit that this loop does not handle, or until a token is cancelled: then it returns <see cref="ExitKind.Cancelled"/>;
    /// nothing is thrown. When another exit comes first, the token's request does not stay for the next run.
    /// </summary>
    /// <param name="cancellationToken">Ends the run, from any thread.</param>
    public VpExit Run(CancellationToken cancellationToken)
    {
        VpExit exit;
        using (cancellationToken.UnsafeRegister(static state => ((IVirtualProcessor)state!).Cancel(), _processor))
            exit = Run();
        // A request that came too late for this run must not end the next one.
        if (cancellationToken.IsCancellationRequested && exit.Kind != ExitKind.Cancelled)
            _processor.WithdrawCancel();
        return exit;
    }

    /// <summary>Handles one exit of the processor: calls the device and completes the access.</summary>
    /// <returns>False when the exit is none of this loop's kinds; nothing was done.</returns>
    public bool TryHandle(in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                PortIoExit port = exit.PortIo;
                HandlePort(in port);
                break;
            case ExitKind.Mmio:
                MmioExit mmio = exit.Mmio;
                if (mmio.IsWrite)
                    _mmio.Write(mmio.Address, mmio.Size, mmio.Value);
                else
                    _processor.CompleteRead(_mmio.Read(mmio.Address, mmio.Size));
                break;
            case ExitKind.SlatViolation:
                SlatViolationExit violation = exit.SlatViolation;
                if (violation.Access != GuestAccess.Write || violation.PageWalk)
                    return false;
                _processor.CompleteWrite(ViolatingWrite?.Invoke(_processor, in violation) ?? WriteResolution.Discard);
                break;
            case ExitKind.Msr when Msrs is { } handler:
                MsrExit msr = exit.Msr;
                HandleMsr(handler, in msr);
                break;
            default:
                return false;
        }
        HandledExits++;
        return true;
    }

    /// <summary>
    /// Finishes the pending instruction, with all its further exits, without starting another: afterwards registers are exact and may be
    /// set or saved. Does nothing when no instruction is pending.
    /// </summary>
    /// <param name="unhandled">The exit of the instruction that this loop does not handle.</param>
    /// <returns>
    /// True when no instruction is pending any more; false when <paramref name="unhandled"/> is the caller's to complete.
    /// </returns>
    public bool TryFinishPending(out VpExit unhandled)
    {
        unhandled = default;
        while (_processor.IsPending)
        {
            if (_processor.CompletePending(out VpExit exit) == CompletionStatus.Done)
                return true;
            if (!TryHandle(in exit))
            {
                unhandled = exit;
                return false;
            }
        }
        return true;
    }

    private void HandlePort(in PortIoExit port)
    {
        if (port.IsString)
            HandleString(in port);
        else if (port.IsWrite)
            _ports.Write(port.Port, port.Size, (uint)port.Value);
        else
            _processor.CompleteRead(_ports.Read(port.Port, port.Size));
    }

    private void HandleString(in PortIoExit port)
    {
        Span<byte> data = _processor.PendingData;
        int size = port.Size;
        for (int offset = 0; offset < port.Count * size; offset += size)
        {
            Span<byte> element = data.Slice(offset, size);
            if (port.IsWrite)
                _ports.Write(port.Port, size, Load(element));
            else
                Store(element, _ports.Read(port.Port, size));
        }
        if (!port.IsWrite)
            _processor.CompleteRead(0);
    }

    private void HandleMsr(IMsrHandler handler, in MsrExit msr)
    {
        if (msr.IsWrite)
        {
            if (!handler.TryWrite(_processor, msr.Msr, msr.Value))
                _processor.CompleteWithFault();
        }
        else if (handler.TryRead(_processor, msr.Msr, out ulong value))
        {
            _processor.CompleteRead(value);
        }
        else
        {
            _processor.CompleteWithFault();
        }
    }

    private static uint Load(ReadOnlySpan<byte> element)
    {
        uint value = 0;
        for (int i = 0; i < element.Length; i++)
            value |= (uint)element[i] << (i << 3);
        return value;
    }

    private static void Store(Span<byte> element, uint value)
    {
        for (int i = 0; i < element.Length; i++)
            element[i] = (byte)(value >> (i << 3));
    }
}
