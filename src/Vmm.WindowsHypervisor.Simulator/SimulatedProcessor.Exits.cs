using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed unsafe partial class SimulatedProcessor
{
    private const int MostInstructionBytes = 16, HypercallLength = 3, MostSteps = 64, DebugException = 1;

    private void Translate(WhvRunVpExitContext* context, in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                TranslatePort(context, in exit);
                break;
            case ExitKind.Mmio:
                TranslateMemory(context, in exit, exit.Mmio.Address, exit.Mmio.IsWrite ? WhvMemoryAccessType.Write : WhvMemoryAccessType.Read);
                break;
            case ExitKind.SlatViolation:
                TranslateMemory(context, in exit, exit.SlatViolation.Address, exit.SlatViolation.Access switch
                {
                    GuestAccess.Write => WhvMemoryAccessType.Write,
                    GuestAccess.Execute => WhvMemoryAccessType.Execute,
                    _ => WhvMemoryAccessType.Read,
                });
                break;
            case ExitKind.Msr:
                byte msrLength = Abandon(in exit, out ProcessorState msr);
                Report(context, WhvRunVpExitReason.X64MsrAccess, in msr, msrLength);
                context->MsrAccess = new WhvX64MsrAccessContext { MsrNumber = exit.Msr.Msr, Rax = msr.General.Rax, Rdx = msr.General.Rdx };
                context->MsrAccess.AccessInfo.IsWrite = exit.Msr.IsWrite;
                break;
            case ExitKind.Cpuid:
                CpuidResult answer = exit.Cpuid.Default;
                byte cpuidLength = Abandon(in exit, out ProcessorState cpuid);
                Report(context, WhvRunVpExitReason.X64Cpuid, in cpuid, cpuidLength);
                context->CpuidAccess = new WhvX64CpuidAccessContext
                {
                    Rax = cpuid.General.Rax, Rcx = cpuid.General.Rcx, Rdx = cpuid.General.Rdx, Rbx = cpuid.General.Rbx,
                    DefaultResultRax = answer.Eax, DefaultResultRcx = answer.Ecx, DefaultResultRdx = answer.Edx, DefaultResultRbx = answer.Ebx,
                };
                break;
            case ExitKind.Exception:
                TranslateException(context, exit.Exception);
                break;
            case ExitKind.Hypercall:
                _inner.GetState(RegisterGroups.General, out ProcessorState state);
                state.General.Rip -= HypercallLength;
                _inner.SetState(RegisterGroups.General, in state);
                Report(context, WhvRunVpExitReason.Hypercall, Platform.Chance(2) ? (byte)0 : (byte)HypercallLength);
                break;
            case ExitKind.ApicEoi:
                Report(context, WhvRunVpExitReason.X64ApicEoi);
                context->ApicEoi.InterruptVector = exit.ApicEoi.Vector;
                break;
            default:
                Report(context, exit.Kind switch
                {
                    ExitKind.Halt => WhvRunVpExitReason.X64Halt,
                    ExitKind.Shutdown => WhvRunVpExitReason.UnrecoverableException,
                    ExitKind.Cancelled => WhvRunVpExitReason.Canceled,
                    _ => WhvRunVpExitReason.UnsupportedFeature,
                });
                break;
        }
    }

    private void TranslatePort(WhvRunVpExitContext* context, in VpExit exit)
    {
        PortIoExit port = exit.PortIo;
        byte length = Abandon(in exit, out ProcessorState state);
        Report(context, WhvRunVpExitReason.X64IoPortAccess, in state, length);
        context->IoPortAccess = new WhvX64IoPortAccessContext
        {
            PortNumber = port.Port, Rax = state.General.Rax, Rcx = state.General.Rcx, Rsi = state.General.Rsi, Rdi = state.General.Rdi,
            Ds = Segment(state.Segments.Ds), Es = Segment(state.Segments.Es),
        };
        context->IoPortAccess.AccessInfo.IsWrite = port.IsWrite;
        context->IoPortAccess.AccessInfo.AccessSize = port.Size;
        context->IoPortAccess.AccessInfo.StringOp = port.IsString;
    }

    private void TranslateMemory(WhvRunVpExitContext* context, in VpExit exit, ulong address, WhvMemoryAccessType type)
    {
        Abandon(in exit, out ProcessorState state);
        Report(context, WhvRunVpExitReason.MemoryAccess, in state, 0);
        bool unmapped = _inner.Partition.Memory.Translate(address, GuestAccess.None).Status == TranslationStatus.Unmapped;
        context->MemoryAccess = new WhvMemoryAccessContext { Gpa = address };
        context->MemoryAccess.AccessInfo.AccessType = (byte)type;
        context->MemoryAccess.AccessInfo.GpaUnmapped = unmapped;
        // A refused write comes without instruction bytes; the others may.
        if (type == WhvMemoryAccessType.Execute || (type == WhvMemoryAccessType.Write && !unmapped) || Platform.Chance(4))
            return;
        Span<byte> bytes = new(context->MemoryAccess.InstructionBytes, MostInstructionBytes);
        context->MemoryAccess.InstructionByteCount = (byte)Fetch(in state, bytes);
    }

    private void TranslateException(WhvRunVpExitContext* context, ExceptionExit exception)
    {
        Report(context, WhvRunVpExitReason.Exception);
        context->VpException = new WhvVpExceptionContext { ExceptionType = exception.Vector, ErrorCode = exception.ErrorCode, ExceptionParameter = exception.Payload };
        context->VpException.ExceptionInfo.ErrorCodeValid = exception.HasErrorCode;
        // Some processors have the cause of a #DB in DR6 by then, and the exit says nothing.
        if (exception.Vector != DebugException || !Platform.Chance(2))
            return;
        _inner[Register.Dr6] |= exception.Payload;
        context->VpException.ExceptionParameter = 0;
    }

    /// <summary>
    /// Takes back the instruction that the processor behind has begun: it is finished with made-up answers, then all registers get their
    /// values from before. What it wrote to memory it will write again.
    /// </summary>
    /// <returns>The instruction's length, or 0 where it is not known.</returns>
    private byte Abandon(in VpExit pending, out ProcessorState before)
    {
        _inner.GetState(RegisterGroups.All, out before);
        if (!_inner.IsPending)
            return 0;
        _inner.GetXsave(_xsave);
        VpExit exit = pending;
        for (int step = 0; step < MostSteps; step++)
        {
            AnswerAnything(in exit);
            if (_inner.CompletePending(out exit) == CompletionStatus.Done || !_inner.IsPending)
                break;
        }
        ulong length = _inner[Register.Rip] - before.General.Rip;
        _inner.SetState(RegisterGroups.All, in before);
        _inner.SetXsave(_xsave);
        return length is > 0 and < 16 ? (byte)length : (byte)0;
    }

    private void AnswerAnything(in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.PortIo or ExitKind.Mmio or ExitKind.Msr when !IsWrite(in exit):
                _inner.CompleteRead(0);
                break;
            case ExitKind.Cpuid:
                _inner.CompleteCpuid(default);
                break;
            case ExitKind.SlatViolation:
                _inner.CompleteWrite(WriteResolution.Discard);
                break;
        }
    }

    private static bool IsWrite(in VpExit exit) => exit.Kind switch
    {
        ExitKind.PortIo => exit.PortIo.IsWrite,
        ExitKind.Mmio => exit.Mmio.IsWrite,
        ExitKind.Msr => exit.Msr.IsWrite,
        _ => false,
    };

    private int Fetch(in ProcessorState state, Span<byte> bytes)
    {
        ulong linear = state.Segments.Cs.Base + state.General.Rip;
        int count = 0;
        while (count < bytes.Length)
        {
            LinearTranslationResult result = _inner.Translate(linear + (ulong)count, GuestAccess.Execute);
            int piece = (int)Math.Min((ulong)(bytes.Length - count), 0x1000 - ((linear + (ulong)count) & 0xFFF));
            if (result.Status != TranslationStatus.Success
                || !_inner.Partition.Memory.TryGetSpan(result.PhysicalAddress, piece, false, out Span<byte> span))
                break;
            span.CopyTo(bytes[count..]);
            count += piece;
        }
        return count;
    }

    private void Report(WhvRunVpExitContext* context, WhvRunVpExitReason reason, byte length = 0)
    {
        _inner.GetState(RegisterGroups.All, out ProcessorState state);
        Report(context, reason, in state, length);
    }

    private void Report(WhvRunVpExitContext* context, WhvRunVpExitReason reason, in ProcessorState state, byte length)
    {
        context->ExitReason = reason;
        context->VpContext = new WhvX64VpExitContext { Cs = Segment(state.Segments.Cs), Rip = state.General.Rip, Rflags = state.General.Rflags };
        context->VpContext.InstructionLength = length;
        context->VpContext.Cr8 = (byte)state.Control.Cr8;
        ref WhvX64VpExecutionState execution = ref context->VpContext.ExecutionState;
        execution.Cpl = (byte)(state.Segments.Ss.Attributes >> 5 & 3);
        execution.Cr0Pe = (state.Control.Cr0 & 1) != 0;
        execution.Cr0Am = (state.Control.Cr0 & 0x4_0000) != 0;
        execution.EferLma = (state.Control.Efer & 0x400) != 0;
        execution.DebugActive = (state.Debug.Dr7 & 0xFF) != 0;
        execution.InterruptionPending = _interruption.InterruptionPending;
        execution.InterruptShadow = state.Events.Shadow != InterruptibilityShadow.None;
    }
}
