using Iced.Intel;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Execution;

/// <summary>MOV to and from control registers, CLTS, SMSW, LMSW, XGETBV, XSETBV, RDPKRU, WRPKRU (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class ControlRegisterInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Mov_r32_cr, &MoveFrom);
        table.Set(Code.Mov_r64_cr, &MoveFrom);
        table.Set(Code.Mov_cr_r32, &MoveTo);
        table.Set(Code.Mov_cr_r64, &MoveTo);
        table.Set(Mnemonic.Clts, &ClearTaskSwitched);
        table.Set(Mnemonic.Smsw, &StoreMachineStatus);
        table.Set(Mnemonic.Lmsw, &LoadMachineStatus);
        table.Set(Mnemonic.Xgetbv, &GetExtendedControl);
        table.Set(Mnemonic.Xsetbv, &SetExtendedControl);
        table.Set(Mnemonic.Rdpkru, &ReadKeyRights);
        table.Set(Mnemonic.Wrpkru, &WriteKeyRights);
    }

    private static Outcome MoveFrom(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ulong value;
        switch (i->Op1Register)
        {
            case IcedRegister.CR0: value = s->Cr0; break;
            case IcedRegister.CR2: value = s->Cr2; break;
            case IcedRegister.CR3: value = s->Cr3; break;
            case IcedRegister.CR4: value = s->Cr4; break;
            case IcedRegister.CR8: value = s->Cr8; break;
            default: return cpu.RaiseInvalidOpcode();
        }
        Operands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    private static Outcome MoveTo(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        IcedRegister register = i->Op0Register;
        if (register is not (IcedRegister.CR0 or IcedRegister.CR2 or IcedRegister.CR3 or IcedRegister.CR4
            or IcedRegister.CR8))
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ulong value = Operands.Get(s, i->Op1Register);
        switch (register)
        {
            case IcedRegister.CR0: return cpu.WriteCr0(value);
            case IcedRegister.CR3: return cpu.WriteCr3(value);
            case IcedRegister.CR4: return cpu.WriteCr4(value);
            case IcedRegister.CR8: return cpu.WriteCr8(value);
            default:
                s->Cr2 = value;
                return Outcome.Next;
        }
    }

    private static Outcome ClearTaskSwitched(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        s->Cr0 &= ~Cr0Bits.TaskSwitched;
        cpu.UpdateMode();
        return Outcome.NextBlock;
    }

    private static Outcome StoreMachineStatus(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (cpu.UmipForbids())
            return cpu.RaiseGeneralProtection();
        return Operands.Write(cpu, i, 0, 2, s->Cr0) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome LoadMachineStatus(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        if (!Operands.Read(cpu, i, 0, 2, out ulong value))
            return cpu.Stopped;
        // PE can be set but not cleared.
        const ulong writable = Cr0Bits.MonitorCoprocessor | Cr0Bits.Emulation | Cr0Bits.TaskSwitched;
        return cpu.WriteCr0((s->Cr0 & ~writable) | (value & (writable | Cr0Bits.ProtectionEnable)));
    }

    private static Outcome GetExtendedControl(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Cr4 & Cr4Bits.OsXsave) == 0)
            return cpu.RaiseInvalidOpcode();
        uint index = (uint)s->General[1];
        if (index > 1 || (index == 1 && !cpu.Has(CpuFeature.Xgetbv1)))
            return cpu.RaiseGeneralProtection();
        ulong value = s->Xcr0;
        if (index == 1)
        {
            // XCR0 and XINUSE, and SSE also for its MXCSR's sake (SDM Vol. 1 13.6).
            ulong used = XsaveStates.InUse(cpu, s) | (s->Mxcsr != XsaveStates.InitialMxcsr ? XsaveStates.Sse : 0);
            value &= used;
        }
        s->General[0] = (uint)value;
        s->General[2] = (uint)(value >> 32);
        return Outcome.Next;
    }

    private static Outcome SetExtendedControl(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Cr4 & Cr4Bits.OsXsave) == 0)
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0 || (uint)s->General[1] != 0)
            return cpu.RaiseGeneralProtection();
        return cpu.WriteXcr0((uint)s->General[0] | (s->General[2] << 32));
    }

    // SDM Vol. 3A 4.6.2 and Vol. 2B: at every privilege level, with ECX (and EDX for the write) zero.
    private static Outcome ReadKeyRights(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Cr4 & Cr4Bits.ProtectionKeys) == 0)
            return cpu.RaiseInvalidOpcode();
        if ((uint)s->General[1] != 0)
            return cpu.RaiseGeneralProtection();
        s->General[0] = s->Pkru;
        s->General[2] = 0;
        return Outcome.Next;
    }

    private static Outcome WriteKeyRights(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if ((s->Cr4 & Cr4Bits.ProtectionKeys) == 0)
            return cpu.RaiseInvalidOpcode();
        if ((uint)s->General[1] != 0 || (uint)s->General[2] != 0)
            return cpu.RaiseGeneralProtection();
        return cpu.WriteKeyRights((uint)s->General[0]);
    }
}
