namespace Vmm.Conformance;

public sealed partial class GuestMachine
{
    /// <summary>Runs to the next exit, whatever it is.</summary>
    public VpExit Run()
    {
        if (_before is null && !Processor.IsPending)
        {
            Processor.GetState(RegisterGroups.Registers, out ProcessorState before);
            _before = before;
        }
        if (--_exitsLeft < 0)
            Verify.Fail("The guest made more exits than the case allows.");
        VpExit exit = Processor.Run();
        _halted = exit.Kind == ExitKind.Halt;
        Exits.Add(exit);
        return exit;
    }

    /// <summary>Runs to the next exit, which must be of a kind.</summary>
    public VpExit RunTo(ExitKind kind)
    {
        VpExit exit = Run();
        if (exit.Kind != kind)
            Unexpected(exit, kind.ToString());
        return exit;
    }

    /// <summary>Runs until HLT.</summary>
    public void RunToHalt() => RunTo(ExitKind.Halt);

    /// <summary>Runs to a port access, which must be the next exit.</summary>
    public PortIoExit RunToPort(ushort port)
    {
        VpExit exit = Run();
        if (exit.Kind != ExitKind.PortIo || exit.PortIo.Port != port)
            Unexpected(exit, $"PortIo on port 0x{port:X}");
        return exit.PortIo;
    }

    /// <summary>Runs to a write to <see cref="GuestLayout.MarkPort"/>, and finishes it.</summary>
    public void RunToMark()
    {
        RunToPort(GuestLayout.MarkPort);
        Finish();
    }

    /// <summary>Runs to a memory-mapped access, which must be the next exit.</summary>
    public MmioExit RunToMmio(bool write, ulong address, int size)
    {
        VpExit exit = RunTo(ExitKind.Mmio);
        MmioExit mmio = exit.Mmio;
        if (mmio.IsWrite != write || mmio.Address != address || mmio.Size != size)
            Unexpected(exit, $"Mmio {(write ? "write" : "read")} of {size} at 0x{address:X}");
        return mmio;
    }

    /// <summary>Runs to a second-level violation, which must be the next exit.</summary>
    public SlatViolationExit RunToViolation(GuestAccess access, ulong address)
    {
        VpExit exit = RunTo(ExitKind.SlatViolation);
        SlatViolationExit violation = exit.SlatViolation;
        if (violation.Access != access || violation.Address != address)
            Unexpected(exit, $"SlatViolation {access} at 0x{address:X}");
        return violation;
    }

    /// <summary>Runs until a handler stub of the kit is reached, and reads its frame. The next run returns from the handler.</summary>
    public ExceptionFrame RunToException()
    {
        RunToPort(GuestLayout.ExceptionPort);
        return ReadFrame();
    }

    /// <summary>Runs until the stub of one vector is reached.</summary>
    public ExceptionFrame RunToException(byte vector)
    {
        ExceptionFrame frame = RunToException();
        if (frame.Vector != vector)
            Verify.Fail($"Vector {vector} was expected, the guest took {frame}.");
        return frame;
    }

    /// <summary>Finishes the pending instruction, which must not exit again.</summary>
    public void Finish()
    {
        CompletionStatus status = Processor.CompletePending(out VpExit further);
        if (status != CompletionStatus.Done)
        {
            Exits.Add(further);
            Verify.Fail($"CompletePending gave a further exit: {further}.");
        }
    }

    /// <summary>Finishes the pending instruction, which must exit again.</summary>
    public VpExit FinishToFurtherExit()
    {
        if (Processor.CompletePending(out VpExit further) != CompletionStatus.FurtherExit)
            Verify.Fail("CompletePending gave Done: a further exit of the same instruction was expected.");
        Exits.Add(further);
        return further;
    }

    /// <summary>Reads the frame that the kit's stub stands on, after its port write.</summary>
    private ExceptionFrame ReadFrame()
    {
        Finish();
        Processor.GetState(RegisterGroups.General | RegisterGroups.Segments, out ProcessorState state);
        ulong offset = state.General.Rip - GuestLayout.Stubs;
        if (offset >= 0x1000 || offset % 16 != 2)
            Verify.Fail($"A write to the exception port came from RIP 0x{state.General.Rip:X}, which is no stub.");
        byte vector = (byte)(offset / 16);
        int word = Mode switch
        {
            GuestMode.Real or GuestMode.Protected16 => 2,
            GuestMode.Long or GuestMode.Compatibility => 8,
            _ => 4,
        };
        ulong frame = word switch
        {
            2 => state.Segments.Ss.Base + (state.General.Rsp & 0xFFFF),
            4 => state.General.Rsp & 0xFFFF_FFFF,
            _ => state.General.Rsp,
        };
        ulong at = frame;
        uint error = 0;
        if (Mode != GuestMode.Real && GuestTables.HasErrorCode(vector))
            error = (uint)Next();
        ulong rip = Next();
        ushort cs = (ushort)Next();
        ulong flags = Next();
        bool outer = word == 8 || (Mode != GuestMode.Real && (cs & 3) != 0);
        return new ExceptionFrame(vector, error, rip, cs, flags, outer ? Next() : 0, outer ? (ushort)Next() : (ushort)0, frame);

        ulong Next()
        {
            ulong value = Peek(at, word);
            at += (ulong)word;
            return value;
        }
    }

    private void Unexpected(in VpExit exit, string expected)
    {
        string text = exit.ToString();
        if (exit.Kind == ExitKind.PortIo && exit.PortIo is { IsWrite: true, Port: GuestLayout.ExceptionPort })
            text = $"the guest took {ReadFrame()}, CR2 0x{Processor[Register.Cr2]:X}";
        Verify.Fail($"Expected {expected}, got {text}.");
    }
}
