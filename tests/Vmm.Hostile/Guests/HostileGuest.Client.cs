namespace Vmm.Hostile.Guests;

public sealed partial class HostileGuest
{
    private static readonly Register[] s_ripFlags = [Register.Rip, Register.Rflags];

    private readonly ulong[] _values = new ulong[2];

    // The exit may belong to an instruction that began before the client changed the address space.
    private bool _continued;

    /// <summary>What a client may do before it runs a processor on.</summary>
    private void Disturb()
    {
        switch (_random.Next(24))
        {
            case 0:
                Inject(InjectedEvent.Interrupt((byte)_random.Next(256)));
                break;
            case 1:
                Inject(InjectedEvent.Nmi);
                break;
            case 2:
                int number = _random.Next(31);
                byte vector = (byte)(number < 2 ? number : number + 1); // 2 is an NMI's
                Inject(_random.Next(2) == 0 ? InjectedEvent.Exception(vector) : InjectedEvent.Exception(vector, (uint)_random.Next(),
                    (ulong)_random.NextInt64()));
                break;
            case 3:
                _processor.Cancel();
                break;
            case 4:
                Remap();
                break;
            case 5:
                byte[] bytes = new byte[_random.Next(1, 40)];
                _random.NextBytes(bytes);
                _partition.Memory.Write(HostileLayout.Code + ((ulong)_random.Next(7) * 0x1000) + (ulong)_random.Next(0xF00), bytes);
                break;
            case 6:
                _processor.Translate((ulong)_random.NextInt64(long.MinValue, long.MaxValue) >> _random.Next(64),
                    (GuestAccess)_random.Next(8), _random.Next(2) == 0);
                break;
            case 7 when _partition.Options.LocalApic != LocalApicMode.None:
                InterruptDeliveryMode mode = _random.Next(6) switch
                {
                    0 => InterruptDeliveryMode.NonMaskable,
                    1 => InterruptDeliveryMode.LowestPriority,
                    2 => InterruptDeliveryMode.Init,
                    3 => InterruptDeliveryMode.External,
                    _ => InterruptDeliveryMode.Fixed,
                };
                _partition.RequestInterrupt(new InterruptRequest
                {
                    Vector = (byte)_random.Next(16, 256), Mode = mode, Destination = (uint)_random.Next(3),
                    Logical = _random.Next(4) == 0, LevelTriggered = _random.Next(2) == 0,
                });
                break;
            case 8 when !_processor.IsPending:
                RoundTrip();
                break;
        }
    }

    private void Inject(in InjectedEvent injected)
    {
        try
        {
            _processor.Inject(in injected);
        }
        catch (InvalidOperationException)
        {
            // One is there already.
        }
    }

    private void Remap()
    {
        ulong page = (ulong)_random.Next(0x8, 0x100) << 12;
        ulong length = (ulong)_random.Next(1, 6) << 12;
        if (page + length > HostileLayout.End)
            return;
        ISecondLevelAddressTranslation memory = _partition.Memory;
        switch (_random.Next(4))
        {
            case 0 when page >= HostileLayout.Data + 0x2_0000:
                memory.Unmap(page, length);
                break;
            case 1:
                memory.Map(page, _ram, page + Guard, length, GuestAccess.All, replace: true);
                break;
            case 2:
                memory.Map(page, _ram, page + Guard, length, _random.Next(2) == 0 ? GuestAccess.ReadWrite : GuestAccess.All, replace: true);
                break;
            default:
                memory.Map(page, _ram, page + Guard, length, GuestAccess.Read | GuestAccess.Execute, replace: true);
                break;
        }
    }

    /// <summary>Whatever state a guest gets itself into, a client can take away and put back.</summary>
    private void RoundTrip()
    {
        _processor.GetState(RegisterGroups.All, out ProcessorState state);
        byte[] area = new byte[_processor.XsaveSize];
        _processor.GetXsave(area);
        Require((state.General.Rflags & 0xFFFF_FFFF_FFC0_802A) == 2, $"RFLAGS is 0x{state.General.Rflags:X}");
        Require((state.Control.Cr0 & 0x8000_0001) != 0x8000_0000, $"CR0 is 0x{state.Control.Cr0:X}");
        bool active = (state.Control.Efer & 0x400) != 0;
        Require(active == ((state.Control.Efer & 0x100) != 0 && state.Control.Cr0 >> 31 != 0),
            $"EFER is 0x{state.Control.Efer:X}, CR0 0x{state.Control.Cr0:X}");
        _processor.SetState(RegisterGroups.All, state);
        _processor.SetXsave(area);
        _processor.GetState(RegisterGroups.All, out ProcessorState again);
        // A waiting debug trap, an event or a kick may not change by it either.
        Require(again.General == state.General && again.Segments == state.Segments && again.Control == state.Control
            && again.Debug == state.Debug
            && again.Events == state.Events, $"state differs after it was put back:\n{state}\n{again}");
        byte[] second = new byte[area.Length];
        _processor.GetXsave(second);
        Require(area.AsSpan().SequenceEqual(second), "XSAVE area differs after it was put back");
    }

    private void Answer(VpExit exit)
    {
        bool first = true;
        while (true)
        {
            if (exit.Kind == ExitKind.Cancelled && _processor.IsPending)
                return; // cancelled before it began
            bool pending = Complete(exit);
            Require(pending == _processor.IsPending, $"{exit}: pending is {_processor.IsPending}");
            if (!pending)
                return;
            // Either the next run finishes the instruction, or the client asks for just that.
            bool stub = exit.Kind == ExitKind.PortIo && exit.PortIo.Port == HostileLayout.StubPort;
            if (first && !stub && _random.Next(3) != 0)
                return;
            first = false;
            if (_processor.CompletePending(out VpExit further) == CompletionStatus.Done)
            {
                Require(!_processor.IsPending, "done, yet pending");
                if (exit.Kind == ExitKind.PortIo && !exit.PortIo.IsString)
                {
                    _processor.GetRegisters(s_ripFlags, _values);
                    Require(_values[0] - exit.Rip is > 0 and <= 15, $"{exit} at 0x{exit.Rip:X}: RIP is 0x{_values[0]:X} after it");
                }
                if (stub && _random.Next(3) != 0)
                    Revive(); // elsewhere in its code
                return;
            }
            exit = further;
            _continued = true;
            Exits[(int)exit.Kind]++;
        }
    }

    /// <summary>Checks an exit and gives its answer.</summary>
    /// <returns>Whether its instruction is unfinished.</returns>
    private bool Complete(in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                CompletePort(exit.PortIo);
                return true;
            case ExitKind.Mmio:
                MmioExit mmio = exit.Mmio;
                Require(mmio.Size is >= 1 and <= 8, $"{exit}: size");
                Require(mmio.Size == 8 || mmio.Value >> (mmio.Size * 8) == 0, $"{exit}: value");
                Require((mmio.Address & 0xFFF) + mmio.Size <= 0x1000, $"{exit}: crosses a page");
                Require(mmio.Address >= HostileLayout.End || _continued || !IsMapped(mmio.Address), $"{exit}: that is memory");
                if (!mmio.IsWrite)
                    CompleteRead();
                return true;
            case ExitKind.SlatViolation:
                SlatViolationExit violation = exit.SlatViolation;
                Require(violation.Access is GuestAccess.Read or GuestAccess.Write or GuestAccess.Execute, $"{exit}: access");
                if (violation.Access == GuestAccess.Write && !violation.PageWalk)
                {
                    Require(violation.Size is >= 1 and <= 8, $"{exit}: size");
                    MustNotRun();
                    if (_random.Next(2) == 0)
                    {
                        _processor.CompleteWrite(WriteResolution.Discard);
                        return true;
                    }
                    Grant(violation.Address);
                    _processor.CompleteWrite(WriteResolution.Perform);
                    return true;
                }
                if (_random.Next(2) == 0 && violation.Address < HostileLayout.End)
                    Grant(violation.Address);
                else
                    Revive();
                return false;
            case ExitKind.Msr:
                if (_random.Next(4) == 0)
                    _processor.CompleteWithFault();
                else if (!exit.Msr.IsWrite)
                    CompleteRead();
                return true;
            case ExitKind.Cpuid:
                MustNotRun();
                _processor.CompleteCpuid(_random.Next(2) == 0 ? exit.Cpuid.Default : new CpuidResult(1, 2, 3, (uint)_random.Next()));
                return true;
            case ExitKind.Shutdown:
                MustNotRun();
                if (_random.Next(8) == 0)
                    _partition.Reset(keepMemory: true);
                Revive();
                return false;
            case ExitKind.Halt:
                Require(_processor[Register.Rip] == exit.Rip, "RIP of a halt");
                if (_random.Next(2) == 0)
                    Revive();
                return false;
            case ExitKind.Exception:
                Require(exit.Exception.Vector < 32 && ((_partition.Options.ExceptionExits >> exit.Exception.Vector) & 1) != 0,
                    $"{exit}: was not asked for");
                if (_random.Next(3) == 0)
                    Inject(new InjectedEvent
                    {
                        Kind = InjectedEventKind.Exception, Vector = exit.Exception.Vector, HasErrorCode = exit.Exception.HasErrorCode,
                        ErrorCode = exit.Exception.ErrorCode, Payload = exit.Exception.Payload,
                    });
                else
                    Revive();
                return false;
            case ExitKind.Cancelled or ExitKind.ApicEoi or ExitKind.Hypercall:
                if (_random.Next(20) == 0)
                    Revive();
                return false;
            default:
                throw new InvalidOperationException($"an exit of the kind {exit.Kind}: {exit}");
        }
    }

    private void CompletePort(in PortIoExit port)
    {
        Require(port.Size is 1 or 2 or 4 && port.Count >= 1, $"{port}: size or count");
        Require(port.Size == 8 || port.Value >> (port.Size * 8) == 0, $"{port}: value");
        Require(_processor.PendingData.Length == (port.IsString ? port.Count * port.Size : 0), $"{port}: length of the elements");
        if (port.IsWrite)
            return;
        if (port.IsString)
            _random.NextBytes(_processor.PendingData);
        CompleteRead();
    }

    private void CompleteRead()
    {
        MustNotRun();
        _processor.CompleteRead((ulong)_random.NextInt64(long.MinValue, long.MaxValue));
    }

    private void MustNotRun()
    {
        if (_random.Next(8) != 0)
            return;
        try
        {
            _processor.Run();
        }
        catch (InvalidOperationException)
        {
            return;
        }
        throw new InvalidOperationException("it ran without an answer, or after its end");
    }

    private void Grant(ulong address)
    {
        ulong page = address & ~0xFFFUL;
        _partition.Memory.Map(page, _ram, page + Guard, 0x1000, GuestAccess.All, replace: true);
    }

    private bool IsMapped(ulong address) => _partition.Memory.Translate(address, GuestAccess.Read).Status == TranslationStatus.Success;

    private static void Require(bool condition, string what)
    {
        if (!condition)
            throw new InvalidOperationException(what);
    }
}
