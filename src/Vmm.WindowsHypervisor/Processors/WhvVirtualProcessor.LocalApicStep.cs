using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

/// <content>Steps of instructions that reach the local APIC, which is the platform's: it runs them itself, with the trap flag.</content>
internal sealed unsafe partial class WhvVirtualProcessor
{
    private const ulong ResumeFlag = 0x1_0000, ApicPage = ~0xFFFUL;

    // An access that only the platform can make.
    private bool IsLocalApics(in VpExit exit) => _partition.HasLocalApic && exit.Kind switch
    {
        ExitKind.Mmio => IsLocalApicPage(exit.Mmio.Address),
        ExitKind.SlatViolation => IsLocalApicPage(exit.SlatViolation.Address),
        ExitKind.Msr => IsLocalApicMsr(exit.Msr.Msr, exit.Msr.IsWrite),
        _ => false,
    };

    private bool IsLocalApicPage(ulong address)
    {
        const ulong Enabled = 0x800;
        ulong apicBase = ReadOne(WhvRegisterName.ApicBase).Reg64;
        return (apicBase & (Enabled | X2ApicMode)) == Enabled && ((address ^ apicBase) & ApicPage) == 0;
    }

    // The registers of x2APIC mode in that mode (SDM Vol. 3A table 11-6); accesses to others fault, and a fault is no step of the platform.
    // Those that a client's policy names are its own.
    private bool IsLocalApicMsr(uint msr, bool write)
    {
        bool exists = (msr - MsrNumber.X2ApicFirst) switch
        {
            0x08 or 0x0F or 0x28 or 0x30 or (>= 0x32 and <= 0x38) or 0x3E => true,
            0x02 or 0x03 or 0x0A or 0x0D or (>= 0x10 and <= 0x27) or 0x39 => !write,
            0x0B or 0x3F => write,
            _ => false,
        };
        return exists && _partition.Options.MsrPolicy?.Find(msr, write) is null && (ReadOne(WhvRegisterName.ApicBase).Reg64 & X2ApicMode) != 0;
    }

    /// <summary>
    /// One instruction on the platform. Interrupts wait meanwhile, and a breakpoint that stands on it does not count. False: an exit of it.
    /// </summary>
    private bool StepOnThePlatform(out VpExit exit)
    {
        exit = default;
        ulong flags = ReadOne(WhvRegisterName.Rflags).Reg64;
        WriteFlags((flags & ~(ulong)InterruptFlag) | TrapFlag | ResumeFlag);
        WhvRunVpExitContext* context = _scratch.Exit;
        bool ended = false;
        while (true)
        {
            int result = _platform.Api.RunVirtualProcessor(Handle, Number, context, (uint)sizeof(WhvRunVpExitContext));
            if (result < 0)
            {
                exit = new VpExit(new FailedExit { Code = (uint)result });
                return false;
            }
            switch (context->ExitReason)
            {
                case WhvRunVpExitReason.X64InterruptWindow:
                case WhvRunVpExitReason.Canceled when ended: // whoever asked for it is heard when this returns
                    continue;
                case WhvRunVpExitReason.X64ApicEoi:
                    // The instruction is over; its trap comes next, and then the exit.
                    Translate(context, out exit);
                    ended = true;
                    continue;
            }
            // What the instruction did to the other flags stays.
            const ulong Ours = InterruptFlag | TrapFlag | ResumeFlag;
            WriteFlags((ReadOne(WhvRegisterName.Rflags).Reg64 & ~Ours) | (flags & (InterruptFlag | TrapFlag)));
            if (context->ExitReason != WhvRunVpExitReason.Exception || context->VpException.ExceptionType != ExceptionVector.Debug)
                return !Translate(context, out exit);
            FillDebugCause(ref context->VpException);
            ulong bits = context->VpException.ExceptionParameter;
            if ((bits & DebugBits.StatusSingleStep) == 0)
                return !TakeDebugException(context, out exit);
            ClearStatus(DebugBits.StatusSingleStep);
            if ((flags & TrapFlag) != 0)
                Deliver(DebugTrap(DebugBits.StatusSingleStep));
            if (ended)
                _hasStepped = true;
            return !ended;
        }
    }

    private void WriteFlags(ulong flags)
    {
        WhvRegisterValue value = default;
        value.Reg64 = flags;
        Write(WhvRegisterName.Rflags, value);
    }
}
