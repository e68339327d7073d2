using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private const ulong TrapFlag = 0x100;
    private const uint HypercallBytes = 3;

    private bool _portPending; // a plain IN or OUT, that needs no more than RAX and RIP

    protected override ulong AssistedInstructionsCore => _assist.Finished;

    protected override Span<byte> PendingDataCore => _assist.PendingData;

    protected override bool CompletePendingCore(out VpExit exit) => FinishPending(out exit);

    protected override void CompleteReadCore(in VpExit exit, ulong value)
    {
        if (_portPending)
            _portValue = value;
        else
            _assist.CompleteRead(value);
    }

    protected override void CompleteCpuidCore(in CpuidResult result) => _assist.CompleteCpuid(in result);

    protected override void CompleteWithFaultCore() => _assist.CompleteWithFault();

    protected override void CompleteWriteCore(WriteResolution resolution) => _assist.CompleteWrite(resolution);

    /// <summary>Finishes the pending instruction with its answers. True: done; false: a further exit of it.</summary>
    private bool FinishPending(out VpExit exit)
    {
        exit = default;
        if (_portPending)
        {
            FinishPort();
            _portPending = false;
            return true;
        }
        if (!_assist.Continue(out exit))
            return false;
        _hasStepped = _steps;
        return true;
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
                return !_assist.Start(out exit);
            case WhvRunVpExitReason.Canceled:
                return true;
            case WhvRunVpExitReason.X64InterruptWindow:
                return false;
            case WhvRunVpExitReason.X64Halt:
                _halted = true;
                return false;
            case WhvRunVpExitReason.Exception when context->VpException.ExceptionType == ExceptionVector.Debug:
                FillDebugCause(ref context->VpException);
                if (!ClientSeesDebug(context))
                    return TakeDebugException(context, out exit);
                goto case WhvRunVpExitReason.Exception;
            case WhvRunVpExitReason.Exception:
                exit = TranslateException(in context->VpException, context->VpContext.Rip);
                return true;
            case WhvRunVpExitReason.X64ApicEoi:
                exit = new VpExit(new ApicEoiExit { Vector = (byte)context->ApicEoi.InterruptVector }, context->VpContext.Rip);
                return true;
            case WhvRunVpExitReason.Hypercall:
                exit = new VpExit(ExitKind.Hypercall, SkipHypercall(context));
                return true;
            case WhvRunVpExitReason.UnrecoverableException:
                exit = new VpExit(ExitKind.Shutdown, context->VpContext.Rip);
                return true;
            default:
                exit = new VpExit(new FailedExit { Code = (ulong)context->ExitReason }, context->VpContext.Rip);
                return true;
        }
    }

    // AMD's processors have the cause in DR6 when a #DB is intercepted, Intel's tell it beside: where the exit has none, the register has
    // it.
    private void FillDebugCause(ref WhvVpExceptionContext exception)
    {
        const ulong Causes =
            DebugBits.StatusBreakpoints | DebugBits.StatusDebugRegister | DebugBits.StatusSingleStep | DebugBits.StatusTask;
        if ((exception.ExceptionParameter & Causes) == 0)
            exception.ExceptionParameter = ReadOne(WhvRegisterName.Dr6).Reg64 & Causes;
    }

    // With points a #DB may be theirs, or come from the guest's reading of its registers.
    private bool ClientSeesDebug(WhvRunVpExitContext* context)
    {
        const uint Ours = DebugBits.StatusBreakpoints | DebugBits.StatusDebugRegister;
        return (_partition.Options.ExceptionExits & (1U << ExceptionVector.Debug)) != 0
            && (!HasPoints || (context->VpException.ExceptionParameter & Ours) == 0);
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
    private ulong SkipHypercall(WhvRunVpExitContext* context)
    {
        // VMCALL and VMMCALL have three bytes, whether the platform tells or not.
        uint length = context->VpContext.InstructionLength == 0 ? HypercallBytes : context->VpContext.InstructionLength;
        WhvRegisterValue rip = default;
        rip.Reg64 = context->VpContext.Rip + length;
        Write(WhvRegisterName.Rip, rip);
        return rip.Reg64;
    }
}
