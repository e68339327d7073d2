using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM Vol. 2B; APM Vol. 3 for SYSCALL outside 64-bit mode).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class SystemCallInstructions
{
    private const uint Code64 = 0xA09B, Code32 = 0xC09B, Data = 0xC093, User = 0x60;

    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Syscall, &SystemCall);
        table.Set(Code.Sysretd, &Return32);
        table.Set(Code.Sysretq, &Return64);
        table.Set(Mnemonic.Sysenter, &Enter);
        table.Set(Code.Sysexitd, &Exit32);
        table.Set(Code.Sysexitq, &Exit64);
    }

    private static Outcome SystemCall(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Efer & EferBits.SyscallEnable) == 0 || (s->Mode & ExecutionMode.Protected) == 0 || (!cpu.Is64Bit && cpu.Model.IsIntel))
            return cpu.RaiseInvalidOpcode();
        ushort selector = (ushort)((s->Star >> 32) & 0xFFFC);
        ulong flags = LazyFlags.Get(s);
        s->General[1] = i->NextIP;
        if (cpu.IsLongMode)
        {
            s->General[11] = flags;
            s->Rip = cpu.Is64Bit ? s->Lstar : s->Cstar;
            if ((flags & s->SyscallMask & LazyFlags.Tf) != 0)
                cpu.SuppressStepTrap();
            LazyFlags.Set(s, flags & ~(s->SyscallMask | LazyFlags.Rf));
        }
        else
        {
            s->Rip = (uint)s->Star;
            LazyFlags.Set(s, flags & ~(ulong)(LazyFlags.If | LazyFlags.Rf | LazyFlags.Vm));
        }
        Load(cpu, s, selector, cpu.IsLongMode ? Code64 : Code32, 0);
        return Outcome.Branch;
    }

    private static Outcome Return32(ProcessorCore cpu, VcpuState* s, Instruction* i) => Return(cpu, s, false);

    private static Outcome Return64(ProcessorCore cpu, VcpuState* s, Instruction* i) => Return(cpu, s, true);

    private static Outcome Return(ProcessorCore cpu, VcpuState* s, bool wide)
    {
        if ((s->Efer & EferBits.SyscallEnable) == 0 || (s->Mode & ExecutionMode.Protected) == 0 || (!cpu.Is64Bit && cpu.Model.IsIntel))
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ulong rip = s->General[1];
        if (wide && !cpu.IsCanonical(rip))
            return cpu.RaiseGeneralProtection();
        const ulong restored = LazyFlags.Arithmetic | LazyFlags.Tf | LazyFlags.If | LazyFlags.Df | LazyFlags.Iopl | LazyFlags.Nt
            | LazyFlags.Ac
            | LazyFlags.Vif | LazyFlags.Vip | LazyFlags.Id;
        LazyFlags.Set(s, cpu.IsLongMode ? s->General[11] & restored : LazyFlags.Get(s) | LazyFlags.If);
        s->Rip = wide ? rip : (uint)rip;
        ushort selector = (ushort)(s->Star >> 48);
        Load(cpu, s, (ushort)((selector + (wide ? 16 : 0)) | 3), (wide ? Code64 : Code32) | User, 3, (ushort)((selector + 8) | 3));
        return Outcome.Branch;
    }

    private static Outcome Enter(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Mode & ExecutionMode.Protected) == 0 || (s->SysenterCs & 0xFFFC) == 0)
            return cpu.RaiseGeneralProtection();
        bool wide = cpu.IsLongMode;
        s->FlagsSystem &= ~(LazyFlags.Vm | LazyFlags.If | LazyFlags.Rf);
        s->General[4] = wide ? s->SysenterEsp : (uint)s->SysenterEsp;
        s->Rip = wide ? s->SysenterEip : (uint)s->SysenterEip;
        Load(cpu, s, (ushort)(s->SysenterCs & 0xFFFC), wide ? Code64 : Code32, 0);
        return Outcome.Branch;
    }

    private static Outcome Exit32(ProcessorCore cpu, VcpuState* s, Instruction* i) => Exit(cpu, s, false);

    private static Outcome Exit64(ProcessorCore cpu, VcpuState* s, Instruction* i) => Exit(cpu, s, true);

    private static Outcome Exit(ProcessorCore cpu, VcpuState* s, bool wide)
    {
        if ((s->Mode & ExecutionMode.Protected) == 0 || (s->SysenterCs & 0xFFFC) == 0 || s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ulong rsp = s->General[1], rip = s->General[2];
        if (wide && (!cpu.IsCanonical(rsp) || !cpu.IsCanonical(rip)))
            return cpu.RaiseGeneralProtection();
        s->General[4] = wide ? rsp : (uint)rsp;
        s->Rip = wide ? rip : (uint)rip;
        ushort selector = (ushort)(s->SysenterCs + (wide ? 32UL : 16UL));
        Load(cpu, s, (ushort)(selector | 3), (wide ? Code64 : Code32) | User, 3);
        return Outcome.Branch;
    }

    // The segments are fixed: no descriptor is read.
    private static void Load(ProcessorCore cpu, VcpuState* s, ushort code, uint rights, uint level, ushort? stack = null)
    {
        s->Segments[SegmentIndex.Cs] = new SegmentRegister { Selector = code, Limit = uint.MaxValue, Attributes = rights };
        s->Segments[SegmentIndex.Ss] = new SegmentRegister
        {
            Selector = stack ?? (ushort)(code + 8),
            Limit = uint.MaxValue,
            Attributes = Data | (level << 5),
        };
        s->Cpl = level;
        cpu.UpdateMode();
    }
}
