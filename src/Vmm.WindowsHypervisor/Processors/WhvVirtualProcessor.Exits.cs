using System.Buffers.Binary;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private const ulong TrapFlag = 0x100;

    private readonly byte[] _stringElement = new byte[4];
    private Pending _pending;
    private bool _answered;
    private byte _stringSize;

    // What is pending: nothing, an instruction in the assist, or a plain IN or OUT that needs no more than RAX and RIP.
    private enum Pending : byte
    {
        None,
        Assist,
        Port,
    }

    protected override Span<byte> PendingDataCore => _stringElement.AsSpan(0, _stringSize);

    protected override bool CompletePendingCore(out VpExit exit) => FinishPending(out exit);

    protected override void CompleteReadCore(in VpExit exit, ulong value)
    {
        if (_pending == Pending.Port)
        {
            _portValue = value;
            _answered = true;
            return;
        }
        if (_stringSize != 0)
            value = BinaryPrimitives.ReadUInt32LittleEndian(_stringElement);
        Answer(value);
    }

    protected override void CompleteCpuidCore(in CpuidResult result)
    {
        _assist.Answer(result.Eax | ((ulong)result.Ebx << 32), result.Ecx | ((ulong)result.Edx << 32));
        _answered = true;
    }

    protected override void CompleteWithFaultCore() => Answer(refused: true);

    protected override void CompleteWriteCore(WriteResolution resolution)
    {
        if (resolution == WriteResolution.Discard)
            Answer();
        else
            _assist.WithdrawRequest();
        _answered = true;
    }

    private void Answer(ulong value = 0, bool refused = false)
    {
        _assist.Answer(value, 0, refused);
        _answered = true;
    }

    /// <summary>Finishes the pending instruction with its answers. True: done; false: a further exit of it.</summary>
    private bool FinishPending(out VpExit exit)
    {
        exit = default;
        if (_pending == Pending.Port)
        {
            FinishPort();
            _pending = Pending.None;
            return true;
        }
        if (!_answered)
            _assist.Answer(); // a store that nobody waits for
        return StepAssist(out exit);
    }

    /// <summary>Runs the instruction at RIP in the assist. True: it is finished and its state given back; false: an exit.</summary>
    private bool Assist(out VpExit exit)
    {
        _assist.Begin();
        return StepAssist(out exit);
    }

    private bool StepAssist(out VpExit exit)
    {
        _answered = false;
        if (_assist.Step())
        {
            _pending = Pending.None;
            _assist.Commit();
            exit = default;
            return true;
        }
        _pending = Pending.Assist;
        exit = RequestExit(in _assist.Request);
        return false;
    }

    /// <summary>True: the platform's exit is one for the client.</summary>
    private bool Translate(WhvRunVpExitContext* context, out VpExit exit)
    {
        exit = default;
        switch (context->ExitReason)
        {
            case WhvRunVpExitReason.X64IoPortAccess:
                return TranslatePort(context, out exit);
            case WhvRunVpExitReason.MemoryAccess:
            case WhvRunVpExitReason.X64MsrAccess:
            case WhvRunVpExitReason.X64Cpuid:
                return !Assist(out exit);
            case WhvRunVpExitReason.Canceled:
                return true;
            case WhvRunVpExitReason.X64InterruptWindow:
                return false;
            case WhvRunVpExitReason.X64Halt:
                _halted = true;
                return false;
            case WhvRunVpExitReason.Exception:
                exit = TranslateException(in context->VpException, context->VpContext.Rip);
                return true;
            case WhvRunVpExitReason.X64ApicEoi:
                exit = new VpExit(new ApicEoiExit { Vector = (byte)context->ApicEoi.InterruptVector }, context->VpContext.Rip);
                return true;
            case WhvRunVpExitReason.Hypercall:
                SkipHypercall(context);
                exit = new VpExit(ExitKind.Hypercall, context->VpContext.Rip + context->VpContext.InstructionLength);
                return true;
            case WhvRunVpExitReason.UnrecoverableException:
                exit = new VpExit(ExitKind.Shutdown, context->VpContext.Rip);
                return true;
            default:
                exit = new VpExit(new FailedExit { Code = (ulong)context->ExitReason }, context->VpContext.Rip);
                return true;
        }
    }

    private static VpExit TranslateException(in WhvVpExceptionContext exception, ulong rip) => new(
        new ExceptionExit
        {
            Vector = exception.ExceptionType,
            HasErrorCode = exception.ExceptionInfo.ErrorCodeValid,
            ErrorCode = exception.ExceptionInfo.ErrorCodeValid ? exception.ErrorCode : 0,
            Payload = exception.ExceptionParameter,
        },
        rip);

    // Like every intercepted instruction it is not finished by the platform.
    private void SkipHypercall(WhvRunVpExitContext* context)
    {
        WhvRegisterValue rip = default;
        rip.Reg64 = context->VpContext.Rip + context->VpContext.InstructionLength;
        Write(WhvRegisterName.Rip, rip);
    }

    private VpExit RequestExit(in ExternalRequest request)
    {
        _stringSize = 0;
        ulong rip = _assist.State->Rip;
        switch (request.Kind)
        {
            case ExternalRequestKind.PortRead or ExternalRequestKind.PortWrite:
                bool output = request.Kind == ExternalRequestKind.PortWrite;
                if (request.IsString)
                {
                    _stringSize = request.Size;
                    BinaryPrimitives.WriteUInt32LittleEndian(_stringElement, output ? (uint)request.Value : 0);
                }
                return new VpExit(
                    new PortIoExit
                    {
                        Port = (ushort)request.Address, Size = request.Size, IsWrite = output, IsString = request.IsString, Count = 1,
                        Value = output ? request.Value : 0,
                    },
                    rip);
            case ExternalRequestKind.MmioRead or ExternalRequestKind.MmioWrite:
                bool store = request.Kind == ExternalRequestKind.MmioWrite;
                return new VpExit(new MmioExit { Address = request.Address, Size = request.Size, IsWrite = store, Value = store ? request.Value : 0 }, rip);
            case ExternalRequestKind.MsrRead or ExternalRequestKind.MsrWrite:
                bool write = request.Kind == ExternalRequestKind.MsrWrite;
                return new VpExit(new MsrExit { Msr = (uint)request.Address, IsWrite = write, Value = write ? request.Value : 0 }, rip);
            case ExternalRequestKind.Cpuid:
                X86.CpuidAnswer answer = _assist.QueryCpuid((uint)request.Address, (uint)request.Value);
                return new VpExit(
                    new CpuidExit
                    {
                        Leaf = (uint)request.Address, Subleaf = (uint)request.Value,
                        Default = new CpuidResult(answer.Eax, answer.Ebx, answer.Ecx, answer.Edx),
                    },
                    rip);
            default:
                return Violation(in request, rip);
        }
    }

    private VpExit Violation(in ExternalRequest request, ulong rip)
    {
        GuestAccess access = request.Kind switch
        {
            ExternalRequestKind.SlatExecute => GuestAccess.Execute,
            ExternalRequestKind.SlatWrite => GuestAccess.Write,
            _ => GuestAccess.Read,
        };
        bool carriesData = access == GuestAccess.Write && !request.PageWalk;
        VpExit exit = new(
            new SlatViolationExit
            {
                Address = request.Address, Access = access, PageWalk = request.PageWalk, Size = request.Size, Value = carriesData ? request.Value : 0,
            },
            rip);
        if (!carriesData)
        {
            // Nothing to answer: the instruction runs again from its start once the client has seen to the rights.
            _assist.WithdrawRequest();
            _assist.ClearAnswers();
            _pending = Pending.None;
        }
        return exit;
    }
}
