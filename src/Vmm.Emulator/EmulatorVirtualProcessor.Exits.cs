using Vmm.X86.Execution;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatorVirtualProcessor
{
    private readonly byte[] _stringElement = new byte[4];
    private ExternalRequestKind _pendingKind;
    private byte _stringSize;

    protected override Span<byte> PendingDataCore => _stringElement.AsSpan(0, _stringSize);

    protected override bool CompletePendingCore(out VpExit exit)
    {
        if (!FinishPending(out exit))
            return false;
        NoteStep(RunResult.Done);
        return true;
    }

    protected override void CompleteReadCore(in VpExit exit, ulong value)
    {
        if (_stringSize != 0)
            value = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(_stringElement);
        Answer(value);
    }

    protected override void CompleteCpuidCore(in CpuidResult result) =>
        Core.Answer(result.Eax | ((ulong)result.Ebx << 32), result.Ecx | ((ulong)result.Edx << 32));

    protected override void CompleteWithFaultCore() => Answer(refused: true);

    protected override void CompleteWriteCore(WriteResolution resolution)
    {
        if (resolution == WriteResolution.Discard)
            Answer();
        else
            Core.WithdrawRequest();
        _answered = true;
    }

    private void Answer(ulong value = 0, bool refused = false)
    {
        Core.Answer(value, 0, refused);
        _answered = true;
    }

    /// <summary>Runs the pending instruction again with its answers. True: it is finished; false: it exits again.</summary>
    private bool FinishPending(out VpExit exit)
    {
        if (!_answered && _pendingKind is ExternalRequestKind.PortWrite or ExternalRequestKind.MmioWrite or ExternalRequestKind.MsrWrite)
            Core.Answer();
        _pending = _answered = false;
        if (Core.HasEvent)
        {
            // It was the delivery of an event that went out, not an instruction.
            bool done = Core.DeliverEvent() != Outcome.Exit;
            exit = done ? default : Translate(in Core.Request);
            return done;
        }
        RunResult result = Core.ExecuteOne();
        if (result == RunResult.Exit)
        {
            exit = Translate(in Core.Request);
            return false;
        }
        return After(result, out exit);
    }

    private VpExit Translate(in ExternalRequest request)
    {
        _pendingKind = request.Kind;
        _pending = true;
        _answered = false;
        _stringSize = 0;
        ulong rip = State->Rip;
        switch (request.Kind)
        {
            case ExternalRequestKind.PortRead:
            case ExternalRequestKind.PortWrite:
                return TranslatePort(in request, rip);
            case ExternalRequestKind.MmioRead:
            case ExternalRequestKind.MmioWrite:
                bool store = request.Kind == ExternalRequestKind.MmioWrite;
                return new VpExit(new MmioExit { Address = request.Address, Size = request.Size, IsWrite = store, Value = store ? request.Value : 0 }, rip);
            case ExternalRequestKind.MsrRead:
            case ExternalRequestKind.MsrWrite:
                bool write = request.Kind == ExternalRequestKind.MsrWrite;
                return new VpExit(new MsrExit { Msr = (uint)request.Address, IsWrite = write, Value = write ? request.Value : 0 }, rip);
            case ExternalRequestKind.Cpuid:
                X86.CpuidAnswer answer = Core.QueryCpuid((uint)request.Address, (uint)request.Value);
                return new VpExit(
                    new CpuidExit
                    {
                        Leaf = (uint)request.Address,
                        Subleaf = (uint)request.Value,
                        Default = new CpuidResult(answer.Eax, answer.Ebx, answer.Ecx, answer.Edx),
                    },
                    rip);
            case ExternalRequestKind.SlatWrite when !request.PageWalk:
                return Violation(in request, GuestAccess.Write, rip);
            default:
                // Nothing to answer: the instruction runs again from its start once the client has seen to the rights.
                VpExit exit = Violation(
                    in request,
                    request.Kind switch { ExternalRequestKind.SlatExecute => GuestAccess.Execute, ExternalRequestKind.SlatWrite => GuestAccess.Write, _ => GuestAccess.Read },
                    rip);
                Core.WithdrawRequest();
                Core.ClearAnswers();
                _pending = false;
                return exit;
        }
    }

    private VpExit TranslatePort(in ExternalRequest request, ulong rip)
    {
        bool write = request.Kind == ExternalRequestKind.PortWrite;
        if (request.IsString)
        {
            _stringSize = request.Size;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(_stringElement, write ? (uint)request.Value : 0);
        }
        return new VpExit(
            new PortIoExit
            {
                Port = (ushort)request.Address,
                Size = request.Size,
                IsWrite = write,
                IsString = request.IsString,
                Count = 1,
                Value = write ? request.Value : 0,
            },
            rip);
    }

    private static VpExit Violation(in ExternalRequest request, GuestAccess access, ulong rip) => new(
        new SlatViolationExit
        {
            Address = request.Address,
            Access = access,
            PageWalk = request.PageWalk,
            Size = request.Size,
            Value = access == GuestAccess.Write && !request.PageWalk ? request.Value : 0,
        },
        rip);
}
