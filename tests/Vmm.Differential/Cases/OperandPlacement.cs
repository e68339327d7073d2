using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Vmm.Differential.Emulated;
using Vmm.X86;

namespace Vmm.Differential.Cases;

using Register = Iced.Intel.Register;

/// <summary>
/// Turns a random state into one in which an instruction does something: registers and displacements lead its memory operand into the data
/// pages, its stack and strings lie there, branches end on filler, and operands are of the kind it computes with.
/// </summary>
internal readonly ref struct OperandPlacement
{
    private readonly Span<byte> _record;
    private readonly Span<byte> _bytes;
    private readonly Span<ulong> _general;
    private readonly ref readonly Instruction _instruction;
    private readonly ref readonly ConstantOffsets _constants;
    private readonly Span<ulong> _target;
    private readonly int _bits;

    public OperandPlacement(Span<byte> record, Span<byte> bytes, in Instruction instruction, in ConstantOffsets constants, int bits)
    {
        _record = record;
        _bytes = bytes;
        _general = MemoryMarshal.Cast<byte, ulong>(record[..128]);
        _instruction = ref instruction;
        _constants = ref constants;
        _target = MemoryMarshal.Cast<byte, ulong>(record.Slice(CaseLayout.ScratchOffset, 8));
        _target[0] = 0;
        _bits = bits;
    }

    /// <summary>Linear address of the memory operand; zero when there is none.</summary>
    public ulong Target => _target[0];

    private int Length => Math.Max(_instruction.Length, 1);

    public void Apply(ref CaseRandom random)
    {
        if (_instruction.IsInvalid)
            return;
        SpecialRegisters(ref random);
        if (_instruction.IsStackInstruction || _instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter)
        {
            _general[4] = Choose(ref random, 8);
            _general[5] = random.Percent(80) ? Choose(ref random, 8) : _general[5];
        }

        PlaceStrings(ref random);
        PlaceMemory(ref random);
        PlaceBranch(ref random);
        ComputeTarget();
        ShapeAfterwards(ref random);
        NarrowRegisters();
        ComputeTarget();
    }

    // 32-bit code does not see the upper halves, and what becomes of them is not defined (SDM Vol. 1 3.4.1.1): they are zero.
    private void NarrowRegisters()
    {
        for (int i = 0; i < 8 && _bits == 32; i++)
            _general[i] = (uint)_general[i];
    }

    // Where the operand really is, with every register as it will be.
    private void ComputeTarget()
    {
        if (_target[0] == 0 || _instruction.IsIPRelativeMemoryOperand || _instruction.Mnemonic == Mnemonic.Xlatb
            || _instruction.MemoryIndex.IsVectorRegister())
            return;
        Register any = _instruction.MemoryBase != Register.None ? _instruction.MemoryBase : _instruction.MemoryIndex;
        if (any == Register.None)
            return;
        ulong address = _instruction.MemoryDisplacement64;
        if (_instruction.MemoryBase != Register.None)
            address += _general[Number(_instruction.MemoryBase)];
        if (_instruction.MemoryIndex != Register.None)
            address += _general[Number(_instruction.MemoryIndex)] * (ulong)_instruction.MemoryIndexScale;
        _target[0] = any.GetSize() switch { 2 => (ushort)address, 4 => (uint)address, _ => address };
    }

    private static int Number(Register register) => register.GetFullRegister() - Register.RAX;

    /// <summary>An address worth accessing.</summary>
    private static ulong Choose(ref CaseRandom random, int size)
    {
        const ulong Begin = CaseLayout.DataAddress, End = CaseLayout.DataAddress + CaseLayout.DataLength;
        ulong inside = Begin + (ulong)random.Next(CaseLayout.DataLength - 1024);
        switch (random.Next(100))
        {
            case < 50:
                return inside & ~63UL;
            case < 68:
                return inside & ~15UL;
            case < 85:
                return inside;
            case < 89: // across the border of the pages
                return Begin + 4096 - (ulong)random.Next(1, Math.Max(size, 2));
            case < 93: // over the end
                return End - (ulong)random.Next(1, (2 * size) + 2);
            case < 94:
                return Begin - (ulong)random.Next(1, size + 1);
            case < 97:
                return CaseLayout.ReadOnlyAddress + (ulong)random.Next(4000);
            case < 98:
                return CaseLayout.CodeAddress + (ulong)random.Next(CaseLayout.CodeLength);
            case < 99:
                return (ulong)random.Next(1 << 28);
            default:
                return random.Next() >> random.Next(20);
        }
    }

    // Before addresses are solved: registers with a meaning of their own.
    private void SpecialRegisters(ref CaseRandom random)
    {
        switch (_instruction.Mnemonic)
        {
            case Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64
                or Mnemonic.Vpcmpestri or Mnemonic.Vpcmpestri64 or Mnemonic.Vpcmpestrm or Mnemonic.Vpcmpestrm64:
                if (random.Percent(85))
                {
                    _general[0] = (ulong)random.Next(-20, 20);
                    _general[2] = (ulong)random.Next(-20, 20);
                }

                break;
            case Mnemonic.Div:
                _general[2] = random.Percent(60) ? 0 : _general[2] >> random.Next(64);
                if (random.Percent(40))
                    _general[0] &= 0xFF;
                break;
            case Mnemonic.Idiv:
                if (random.Percent(70))
                    _general[2] = (ulong)((long)_general[0] >> 63);
                if (random.Percent(50))
                {
                    _general[0] = (ulong)(sbyte)_general[0];
                    _general[2] = (ulong)((long)_general[0] >> 63);
                }

                break;
            case Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or Mnemonic.Xsavec or Mnemonic.Xsavec64
                or Mnemonic.Xrstor or Mnemonic.Xrstor64: // states that profile and host both have
                _general[0] &= 0xFFFF_FFFF_0000_0007;
                _general[2] &= 0xFFFF_FFFF_0000_0000;
                break;
            default:
                break;
        }

        if (_instruction.HasRepPrefix || _instruction.HasRepnePrefix)
            _general[1] = (_general[1] & 0xFFFF_FFFF_0000_0000) | (uint)random.Next(random.Percent(90) ? 20 : 3000);
        if ((_instruction.HasRepPrefix || _instruction.HasRepnePrefix) && random.Percent(75))
            _general[1] = (uint)_general[1];
        // A bit string is addressed by its register operand.
        if (_instruction.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc && _instruction.OpCount == 2
            && _instruction.Op0Kind == OpKind.Memory && _instruction.Op1Kind == OpKind.Register && random.Percent(85))
            _general[Number(_instruction.Op1Register)] = (ulong)random.Next(-2000, 2000);
    }

    private void PlaceStrings(ref CaseRandom random)
    {
        for (int i = 0; i < _instruction.OpCount; i++)
        {
            switch (_instruction.GetOpKind(i))
            {
                case OpKind.MemorySegSI or OpKind.MemorySegESI or OpKind.MemorySegRSI:
                    SetAddress(ref random, 6, Choose(ref random, 8));
                    break;
                case OpKind.MemorySegDI or OpKind.MemorySegEDI or OpKind.MemorySegRDI or OpKind.MemoryESDI or OpKind.MemoryESEDI
                    or OpKind.MemoryESRDI:
                    SetAddress(ref random, 7, random.Percent(15) ? _general[6] + (ulong)random.Next(-20, 20) : Choose(ref random, 8));
                    break;
                default:
                    break;
            }
        }

        if (_instruction.Mnemonic is Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu)
            _target[0] = _instruction.Op0Kind switch
            {
                OpKind.MemorySegDI => (ushort)_general[7],
                OpKind.MemorySegEDI => (uint)_general[7],
                _ => _general[7],
            };
    }

    // With 32-bit addresses the upper half of a register does not count.
    private void SetAddress(ref CaseRandom random, int register, ulong address) =>
        _general[register] = _bytes[..Length].IndexOf((byte)0x67) >= 0 && random.Percent(70)
            ? (random.Next() << 32) | (uint)address : address;

    private void PlaceMemory(ref CaseRandom random)
    {
        int size = 0;
        for (int i = 0; i < _instruction.OpCount; i++)
        {
            if (_instruction.GetOpKind(i) == OpKind.Memory)
                size = Math.Max(1, _instruction.MemorySize.GetSize());
        }

        if (size == 0)
            return;
        ulong address = Choose(ref random, size);
        _target[0] = address;
        Register baseRegister = _instruction.MemoryBase;
        if (_instruction.IsIPRelativeMemoryOperand || (baseRegister == Register.None && _instruction.MemoryIndex == Register.None))
        {
            PatchDisplacement(address);
            return;
        }

        Register index = _instruction.MemoryIndex;
        ulong scale = (ulong)_instruction.MemoryIndexScale, displacement = _instruction.MemoryDisplacement64;
        int width = (baseRegister != Register.None ? baseRegister : index).GetSize();
        bool narrow = width <= 4;
        if (width == 2)
            return; // 64 KiB that are not mapped
        if (_instruction.Mnemonic == Mnemonic.Xlatb)
        {
            SetAddress(ref random, 3, address - (byte)_general[0]);
            return;
        }

        if (index.IsVectorRegister())
        {
            if (baseRegister != Register.None)
                _general[Number(baseRegister)] = address - displacement;
            return;
        }

        if (index != Register.None && baseRegister != index && random.Percent(80))
            _general[Number(index)] = (ulong)random.Next(-600, 600);
        ulong mask = narrow ? uint.MaxValue : ulong.MaxValue, noise = narrow && random.Percent(70) ? random.Next() << 32 : 0;
        if (baseRegister != Register.None && baseRegister == index)
        {
            ulong value = (address - displacement) / (1 + scale);
            _general[Number(baseRegister)] = value | noise;
            _target[0] = ((value * (1 + scale)) + displacement) & mask;
        }
        else if (baseRegister != Register.None)
        {
            ulong rest = index == Register.None ? 0 : _general[Number(index)] * scale;
            _general[Number(baseRegister)] = ((address - displacement - rest) & mask) | noise;
        }
        else
        {
            ulong value = ((address - displacement) & mask) / scale;
            _general[Number(index)] = value | noise;
            _target[0] = ((value * scale) + displacement) & mask;
        }
    }

    private void PatchDisplacement(ulong address)
    {
        if (!_constants.HasDisplacement)
            return;
        ulong rip = BinaryPrimitives.ReadUInt64LittleEndian(_record[CaseLayout.RipOffset..]);
        if (_constants.DisplacementSize < 4)
        {
            _target[0] = _instruction.MemoryDisplacement64;
            return;
        }

        ulong value = _instruction.IsIPRelativeMemoryOperand ? address - rip - (ulong)Length : address;
        Span<byte> field = _bytes.Slice(_constants.DisplacementOffset, _constants.DisplacementSize);
        if (field.Length == 8)
            BinaryPrimitives.WriteUInt64LittleEndian(field, value);
        else if (field.Length == 4)
            BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)value);
        if (field.Length == 4 && _instruction.IsIPRelativeMemoryOperand)
            _target[0] = rip + (ulong)Length + (ulong)(int)value;
        else if (field.Length == 4)
            _target[0] = _bits == 64 ? (ulong)(int)value : (uint)value;
    }

    // A branch must not lead into the instruction's own bytes, which would be another one.
    private void PlaceBranch(ref CaseRandom random)
    {
        ulong rip = BinaryPrimitives.ReadUInt64LittleEndian(_record[CaseLayout.RipOffset..]), next = rip + (ulong)Length;
        ulong target = random.Percent(85) ? CaseLayout.CodeAddress + (ulong)random.Next(CaseLayout.CodeLength)
            : random.Percent(50) ? CaseLayout.DataAddress + (ulong)random.Next(CaseLayout.DataLength) : (uint)random.Next(1 << 28);
        if (target >= rip && target < next)
            target = next;
        switch (_instruction.FlowControl)
        {
            case FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch or FlowControl.Call when _constants.HasImmediate:
                Span<byte> field = _bytes.Slice(_constants.ImmediateOffset, _constants.ImmediateSize);
                if (field.Length == 1)
                {
                    sbyte distance = (sbyte)field[0];
                    if (distance < 0 && distance >= -Length)
                        field[0] = (byte)random.Next(128);
                }
                else if (field.Length == 4)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)(target - next));
                }

                break;
            case FlowControl.IndirectBranch or FlowControl.IndirectCall:
                if (_instruction.Op0Kind == OpKind.Register)
                    _general[Number(_instruction.Op0Register)] = target;
                else
                    Poke(_target[0], target);
                break;
            case FlowControl.Return:
                Poke(_general[4], target);
                break;
            default:
                break;
        }
    }

    // With every address known: memory operands of the right kind, and equal ones where equality matters.
    private void ShapeAfterwards(ref CaseRandom random)
    {
        Span<byte> data = Data(_target[0]);
        if (data.Length >= 64 && _instruction.FlowControl == FlowControl.Next && random.Percent(75))
            Shape(ref random, data[..64]);
        switch (_instruction.Mnemonic)
        {
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b when data.Length >= 16 && random.Percent(40):
                int half = _instruction.Mnemonic == Mnemonic.Cmpxchg8b ? 4 : 8;
                _general[0] = BinaryPrimitives.ReadUInt64LittleEndian(data);
                _general[2] = BinaryPrimitives.ReadUInt64LittleEndian(data[half..]);
                break;
            case Mnemonic.Cmpxchg when data.Length >= 8 && random.Percent(40):
                BinaryPrimitives.WriteUInt64LittleEndian(data, _general[0]);
                break;
            case Mnemonic.Ldmxcsr or Mnemonic.Vldmxcsr when data.Length >= 4:
                uint control = (uint)random.Next(0x1_0000) | (random.Percent(10) ? 1u << random.Next(18, 32) : 0);
                BinaryPrimitives.WriteUInt32LittleEndian(data, control);
                break;
            case Mnemonic.Fxrstor or Mnemonic.Fxrstor64 when data.Length >= 32:
                Narrow(data[8..]);
                Narrow(data[16..]);
                BinaryPrimitives.WriteUInt32LittleEndian(data[24..], (uint)random.Next(0x1_0000)
                    | (random.Percent(5) ? 1u << random.Next(18, 32) : 0));
                break;
            case Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or Mnemonic.Xsavec or Mnemonic.Xsavec64
                or Mnemonic.Xrstor or Mnemonic.Xrstor64 when data.Length >= 576:
                Narrow(data[8..]);
                Narrow(data[16..]);
                BinaryPrimitives.WriteUInt32LittleEndian(data[24..], (uint)random.Next(0x1_0000)
                    | (random.Percent(5) ? 1u << random.Next(18, 32) : 0));
                ShapeHeader(ref random, data.Slice(512, 64));
                break;
            default:
                break;
        }
    }

    // XSTATE_BV and XCOMP_BV: mostly such that XRSTOR takes them, in either format.
    private static void ShapeHeader(ref CaseRandom random, Span<byte> header)
    {
        if (random.Percent(92))
            header.Clear();
        ulong states = random.Next() & 7;
        bool compacted = random.Percent(35) && EmulatedModel.Model.Has(CpuFeature.XsaveCompacted);
        BinaryPrimitives.WriteUInt64LittleEndian(header, states | (random.Percent(4) ? 1UL << random.Next(20, 63) : 0));
        ulong format = compacted ? (1UL << 63) | (random.Percent(85) ? states | (random.Next() & 7) : random.Next() & 7) : 0;
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], format | (random.Percent(3) ? 1UL << random.Next(20, 62) : 0));
    }

    // Pointers that are not canonical are cut to the processor's own width.
    private static void Narrow(Span<byte> pointer)
    {
        long value = BinaryPrimitives.ReadInt64LittleEndian(pointer);
        BinaryPrimitives.WriteInt64LittleEndian(pointer, (value << 16) >> 16);
    }

    private void Shape(ref CaseRandom random, Span<byte> data)
    {
        switch (_instruction.MemorySize)
        {
            case MemorySize.Float80:
                BinaryPrimitives.WriteUInt64LittleEndian(data, StateSource.Significand(ref random));
                BinaryPrimitives.WriteUInt16LittleEndian(data[8..], StateSource.Exponent(ref random));
                break;
            case MemorySize.Bcd:
                for (int i = 0; i < 9 && random.Percent(95); i++)
                    data[i] = (byte)((random.Next(10) << 4) | random.Next(10));
                data[9] = (byte)(random.Percent(80) ? random.Next(2) << 7 : (int)random.Next());
                break;
            case MemorySize.UInt8 or MemorySize.UInt16 or MemorySize.UInt32 or MemorySize.UInt64
                or MemorySize.Int8 or MemorySize.Int16 or MemorySize.Int32 or MemorySize.Int64:
                BinaryPrimitives.WriteUInt64LittleEndian(data, ValueSource.Integer(ref random));
                break;
            default:
                ValueSource.Fill(ref random, data, StateSource.KindOf(ref random, in _instruction));
                break;
        }
    }

    private void Poke(ulong address, ulong value)
    {
        Span<byte> data = Data(address);
        if (data.Length >= 8)
            BinaryPrimitives.WriteUInt64LittleEndian(data, value);
    }

    /// <summary>The record's data from a linear address to the end of the pages.</summary>
    private Span<byte> Data(ulong address)
    {
        ulong offset = address - CaseLayout.DataAddress;
        return offset < CaseLayout.DataLength
            ? _record.Slice(CaseLayout.DataOffset + (int)offset, CaseLayout.DataLength - (int)offset) : [];
    }
}
