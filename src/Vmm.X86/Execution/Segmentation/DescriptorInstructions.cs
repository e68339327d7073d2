using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>LAR, LSL, VERR, VERW, ARPL (SDM Vol. 2): they report on selectors without faulting for what the descriptor says.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class DescriptorInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Lar, &LoadRights);
        table.Set(Mnemonic.Lsl, &LoadLimit);
        table.Set(Mnemonic.Verr, &VerifyRead);
        table.Set(Mnemonic.Verw, &VerifyWrite);
        table.Set(Mnemonic.Arpl, &AdjustLevel);
    }

    private static Outcome LoadRights(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Look(cpu, i, 1, out ushort selector, out Descriptor descriptor, out bool found))
            return cpu.Stopped;
        bool visible = found && (descriptor.IsCodeOrData || HasRights(cpu, descriptor.Type)) && MaySee(s, selector, in descriptor);
        if (visible)
            Operands.Set(s, i->Op0Register, (uint)(descriptor.Low >> 32) & 0x00F0_FF00);
        return Finish(s, visible);
    }

    private static Outcome LoadLimit(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Look(cpu, i, 1, out ushort selector, out Descriptor descriptor, out bool found))
            return cpu.Stopped;
        bool visible = found && (descriptor.IsCodeOrData || HasLimit(cpu, descriptor.Type)) && MaySee(s, selector, in descriptor);
        if (visible)
            Operands.Set(s, i->Op0Register, descriptor.Limit);
        return Finish(s, visible);
    }

    private static Outcome VerifyRead(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Look(cpu, i, 0, out ushort selector, out Descriptor descriptor, out bool found))
            return cpu.Stopped;
        return Finish(s, found && descriptor.IsReadable && MaySee(s, selector, in descriptor));
    }

    private static Outcome VerifyWrite(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Look(cpu, i, 0, out ushort selector, out Descriptor descriptor, out bool found))
            return cpu.Stopped;
        return Finish(s, found && descriptor.IsWritableData && MaySee(s, selector, in descriptor));
    }

    private static Outcome AdjustLevel(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.UsesDescriptors)
            return cpu.RaiseInvalidOpcode();
        if (!Operands.Read(cpu, i, 0, 2, out ulong destination) || !Operands.Read(cpu, i, 1, 2, out ulong source))
            return cpu.Stopped;
        bool raise = (destination & 3) < (source & 3);
        if (raise && !WriteLow(cpu, s, i, (destination & ~3UL) | (source & 3)))
            return cpu.Stopped;
        return Finish(s, raise);
    }

    // The 32-bit form names a 32-bit register but changes only its low word.
    private static bool WriteLow(ProcessorCore cpu, VcpuState* s, Instruction* i, ulong value)
    {
        if (i->GetOpKind(0) != OpKind.Register)
            return Operands.Write(cpu, i, 0, 2, value);
        int index = Operands.Index(i->Op0Register);
        s->General[index] = (s->General[index] & ~0xFFFFUL) | (ushort)value;
        return true;
    }

    /// <summary>Reads the selector operand and its descriptor. False: stop.</summary>
    private static bool Look(ProcessorCore cpu, Instruction* i, int operand, out ushort selector, out Descriptor descriptor, out bool found)
    {
        selector = 0;
        descriptor = default;
        found = false;
        if (!cpu.UsesDescriptors)
        {
            cpu.RaiseInvalidOpcode();
            return false;
        }
        if (!Operands.Read(cpu, i, operand, 2, out ulong value))
            return false;
        selector = (ushort)value;
        return cpu.TryReadDescriptor(selector, out descriptor, out found);
    }

    private static bool MaySee(VcpuState* s, ushort selector, in Descriptor descriptor) =>
        descriptor.IsConforming || (descriptor.Dpl >= s->Cpl && descriptor.Dpl >= (selector & 3U));

    // SDM Vol. 2A tables 3-53 (LAR) and 3-57 (LSL): IA-32e mode knows only LDT, 64-bit TSS and, for LAR, 64-bit call gate.
    private static bool HasRights(ProcessorCore cpu, uint type) => cpu.IsLongMode
        ? type is SystemDescriptorType.Ldt or SystemDescriptorType.AvailableTss32 or SystemDescriptorType.BusyTss32
            or SystemDescriptorType.CallGate32
        : type is not (0 or SystemDescriptorType.InterruptGate16 or SystemDescriptorType.TrapGate16 or 8 or 10 or 13
            or SystemDescriptorType.InterruptGate32 or SystemDescriptorType.TrapGate32);

    private static bool HasLimit(ProcessorCore cpu, uint type) =>
        type is SystemDescriptorType.Ldt or SystemDescriptorType.AvailableTss32 or SystemDescriptorType.BusyTss32
        || (!cpu.IsLongMode && type is SystemDescriptorType.AvailableTss16 or SystemDescriptorType.BusyTss16);

    private static Outcome Finish(VcpuState* s, bool zero)
    {
        ulong flags = LazyFlags.Get(s);
        LazyFlags.SetArithmetic(s, zero ? flags | LazyFlags.Zf : flags & ~(ulong)LazyFlags.Zf);
        return Outcome.Next;
    }
}
