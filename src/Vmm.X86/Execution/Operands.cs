using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>Operands of instructions that run from Iced's decoded form.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
public static unsafe class Operands
{
    /// <summary>
    /// Index in the encoding's order of a general register of any size; AH to BH give 4 to 7 (see <see cref="IsHighByte"/>).
    /// </summary>
    public static int Index(Register register) => register switch
    {
        >= Register.AL and <= Register.R15L => register <= Register.BH ? register - Register.AL : register - Register.SPL + 4,
        >= Register.AX and <= Register.R15W => register - Register.AX,
        >= Register.EAX and <= Register.R15D => register - Register.EAX,
        >= Register.RAX and <= Register.R15 => register - Register.RAX,
        _ => throw new ArgumentOutOfRangeException(nameof(register), register, "Not a general register."),
    };

    /// <summary>AH, CH, DH or BH.</summary>
    public static bool IsHighByte(Register register) => register is >= Register.AH and <= Register.BH;

    /// <summary>Segment register number in the encoding's order.</summary>
    public static int Segment(Register register) => register - Register.ES;

    /// <summary>Reads a general register, zero-extended.</summary>
    public static ulong Get(VcpuState* s, Register register)
    {
        int index = Index(register);
        return register.GetSize() switch
        {
            1 => IsHighByte(register) ? (byte)(s->General[index - 4] >> 8) : (byte)s->General[index],
            2 => (ushort)s->General[index],
            4 => (uint)s->General[index],
            _ => s->General[index],
        };
    }

    /// <summary>Writes a general register: 32-bit writes clear the upper half, 8- and 16-bit ones keep the rest.</summary>
    public static void Set(VcpuState* s, Register register, ulong value)
    {
        int index = Index(register);
        switch (register.GetSize())
        {
            case 1 when IsHighByte(register):
                s->General[index - 4] = (s->General[index - 4] & ~0xFF00UL) | ((value & 0xFF) << 8);
                break;
            case 1:
                s->General[index] = (s->General[index] & ~0xFFUL) | (byte)value;
                break;
            case 2:
                s->General[index] = (s->General[index] & ~0xFFFFUL) | (ushort)value;
                break;
            case 4:
                s->General[index] = (uint)value;
                break;
            default:
                s->General[index] = value;
                break;
        }
    }

    /// <summary>Offset of the memory operand inside its segment, wrapped to the address size.</summary>
    public static ulong EffectiveAddress(VcpuState* s, Instruction* i)
    {
        ulong offset = i->MemoryDisplacement64;
        Register @base = i->MemoryBase;
        if (@base == Register.RIP || @base == Register.EIP)
            return @base == Register.EIP ? (uint)offset : offset; // Iced has added RIP already
        Register index = i->MemoryIndex;
        int size = 0;
        if (@base != Register.None)
        {
            offset += Get(s, @base);
            size = @base.GetSize();
        }
        if (index != Register.None)
        {
            offset += Get(s, index) * (ulong)i->MemoryIndexScale;
            size = index.GetSize();
        }
        if (size == 0)
            size = i->MemoryDisplSize == 0 ? 8 : i->MemoryDisplSize;
        return size switch { 2 => (ushort)offset, 4 => (uint)offset, _ => offset };
    }

    /// <summary>Bytes of the memory operand's address size.</summary>
    public static int AddressSize(Instruction* i)
    {
        int size = i->MemoryBase != Register.None ? i->MemoryBase.GetSize() : i->MemoryIndex != Register.None ? i->MemoryIndex.GetSize()
            : i->MemoryDisplSize;
        return size == 0 ? 8 : size;
    }

    /// <summary>Linear address of the memory operand, checked. False: stop.</summary>
    public static bool Linear(ProcessorCore cpu, Instruction* i, int size, bool write, out ulong linear) =>
        cpu.Linear(Segment(i->MemorySegment), EffectiveAddress(cpu.State, i), size, write, out linear);

    /// <summary>Reads a register, immediate or memory operand of 1, 2, 4 or 8 bytes, zero-extended. False: stop.</summary>
    public static bool Read(ProcessorCore cpu, Instruction* i, int operand, int size, out ulong value)
    {
        OpKind kind = i->GetOpKind(operand);
        if (kind == OpKind.Register)
        {
            value = Get(cpu.State, i->GetOpRegister(operand));
            return true;
        }
        if (kind != OpKind.Memory)
        {
            value = i->GetImmediate(operand);
            return true;
        }
        value = 0;
        return Linear(cpu, i, size, false, out ulong linear) && ReadSized(cpu, linear, size, out value);
    }

    /// <summary>Writes a register or memory operand. False: stop.</summary>
    public static bool Write(ProcessorCore cpu, Instruction* i, int operand, int size, ulong value)
    {
        if (i->GetOpKind(operand) == OpKind.Register)
        {
            Set(cpu.State, i->GetOpRegister(operand), value);
            return true;
        }
        return Linear(cpu, i, size, true, out ulong linear) && WriteSized(cpu, linear, size, value);
    }

    /// <summary>Loads 1, 2, 4 or 8 bytes. False: stop.</summary>
    public static bool ReadSized(ProcessorCore cpu, ulong linear, int size, out ulong value)
    {
        byte* p = cpu.ReadPointer(linear, size);
        if (p == null)
        {
            value = 0;
            return false;
        }
        value = size switch { 1 => *p, 2 => *(ushort*)p, 4 => *(uint*)p, _ => *(ulong*)p };
        return true;
    }

    /// <summary>Stores 1, 2, 4 or 8 bytes. False: stop.</summary>
    public static bool WriteSized(ProcessorCore cpu, ulong linear, int size, ulong value) => size switch
    {
        1 => cpu.Write(linear, (byte)value),
        2 => cpu.Write(linear, (ushort)value),
        4 => cpu.Write(linear, (uint)value),
        _ => cpu.Write(linear, value),
    };
}
