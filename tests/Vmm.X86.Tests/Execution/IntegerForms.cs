using Iced.Intel;
using Vmm.X86.Execution;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Tests.Execution;

/// <summary>
/// Instruction forms made from the assembler library's own tables: every code of a mnemonic, with registers and with memory.
/// </summary>
internal static class IntegerForms
{
    private const uint OfFlag = LazyFlags.Of, Sf = LazyFlags.Sf, Zf = LazyFlags.Zf, Af = LazyFlags.Af, Pf = LazyFlags.Pf, Cf = LazyFlags.Cf;

    private static readonly Dictionary<string, Mnemonic[]> s_groups = new()
    {
        ["add"] = [Mnemonic.Add, Mnemonic.Sub, Mnemonic.Cmp, Mnemonic.Adc,
            Mnemonic.Sbb, Mnemonic.Neg, Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Xadd],
        ["logic"] = [Mnemonic.And, Mnemonic.Or, Mnemonic.Xor, Mnemonic.Test, Mnemonic.Not],
        ["move"] = [Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd,
            Mnemonic.Xchg, Mnemonic.Bswap, Mnemonic.Movbe, Mnemonic.Movnti],
        ["extend"] = [Mnemonic.Cbw, Mnemonic.Cwde, Mnemonic.Cdqe, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Cqo, Mnemonic.Nop, Mnemonic.Xlatb],
        ["flags"] = [Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Cld, Mnemonic.Std, Mnemonic.Lahf, Mnemonic.Sahf],
        ["shift"] = [Mnemonic.Shl, Mnemonic.Sal, Mnemonic.Shr, Mnemonic.Sar],
        ["rotate"] = [Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr],
        ["double shift"] = [Mnemonic.Shld, Mnemonic.Shrd],
        ["bit"] = [Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc],
        ["scan"] = [Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Tzcnt, Mnemonic.Lzcnt, Mnemonic.Popcnt, Mnemonic.Crc32],
        ["field"] =
        [
            Mnemonic.Andn, Mnemonic.Bextr, Mnemonic.Blsi, Mnemonic.Blsmsk, Mnemonic.Blsr, Mnemonic.Bzhi, Mnemonic.Mulx, Mnemonic.Pdep,
            Mnemonic.Pext, Mnemonic.Rorx, Mnemonic.Sarx, Mnemonic.Shlx, Mnemonic.Shrx,
        ],
        ["multiply"] = [Mnemonic.Mul, Mnemonic.Imul],
        ["divide"] = [Mnemonic.Div, Mnemonic.Idiv],
        ["exchange"] = [Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b, Mnemonic.Cmpxchg16b],
        ["condition"] =
        [
            Mnemonic.Seto, Mnemonic.Setno, Mnemonic.Setb, Mnemonic.Setae, Mnemonic.Sete, Mnemonic.Setne, Mnemonic.Setbe, Mnemonic.Seta,
            Mnemonic.Sets, Mnemonic.Setns, Mnemonic.Setp, Mnemonic.Setnp, Mnemonic.Setl, Mnemonic.Setge, Mnemonic.Setle, Mnemonic.Setg,
            Mnemonic.Cmovo, Mnemonic.Cmovno, Mnemonic.Cmovb, Mnemonic.Cmovae,
                Mnemonic.Cmove, Mnemonic.Cmovne, Mnemonic.Cmovbe, Mnemonic.Cmova,
            Mnemonic.Cmovs, Mnemonic.Cmovns, Mnemonic.Cmovp, Mnemonic.Cmovnp,
                Mnemonic.Cmovl, Mnemonic.Cmovge, Mnemonic.Cmovle, Mnemonic.Cmovg,
        ],
        ["string"] =
        [
            Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq, Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq,
            Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq,
            Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpsq,
        ],
    };

    private static readonly IcedRegister[] s_bytes = [IcedRegister.AL, IcedRegister.CL,
        IcedRegister.BL, IcedRegister.AH, IcedRegister.DH, IcedRegister.DIL, IcedRegister.R9L];
    private static readonly IcedRegister[] s_words = [IcedRegister.AX, IcedRegister.CX,
        IcedRegister.DX, IcedRegister.DI, IcedRegister.R10W];

    public static IEnumerable<string> Names => s_groups.Keys;

    public static IEnumerable<IntegerForm> Of(string group)
    {
        foreach (Mnemonic mnemonic in s_groups[group])
        {
            foreach (Code code in Enum.GetValues<Code>())
            {
                EncodingKind encoding = group == "field" ? EncodingKind.VEX : EncodingKind.Legacy;
                if (code.Mnemonic() != mnemonic || code.Encoding() != encoding || !code.ToOpCode().Mode64
                    || !code.ToOpCode().IsInstruction)
                    continue;
                if (code is Code.Bswap_r16 || code.ToString().Contains("moffs") || code.ToString().Contains("Sreg")
                    || code.ToString().Contains("_cr")
                    || code.ToString().Contains("_dr") || code.ToString().Contains("cr_") || code.ToString().Contains("dr_")
                        || code.ToString().Contains("xmm"))
                    continue;
                foreach (IntegerForm form in group == "string" ? Strings(code) : Variants(code))
                    yield return form;
            }
        }
    }

    private static IEnumerable<IntegerForm> Variants(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        bool hasMemory = Enumerable.Range(0, info.OpCount).Any(n => IsMemory(info.GetOpKind(n)));
        for (int choice = 0; choice < 10; choice++)
        {
            bool memory = hasMemory && choice >= 6;
            if (hasMemory && !memory && Enumerable.Range(0, info.OpCount).Any(n =>
                info.GetOpKind(n) is OpCodeOperandKind.mem or OpCodeOperandKind.mem_offs))
                continue;
            Instruction instruction = default;
            instruction.Code = code;
            bool ok = true;
            for (int n = 0; n < info.OpCount; n++)
                ok &= SetOperand(ref instruction, n, info.GetOpKind(n), memory, choice);
            if (!ok)
                continue;
            bool usesHigh = Enumerable.Range(0, info.OpCount).Any(n => instruction.GetOpKind(n) == OpKind.Register
                && Operands.IsHighByte(instruction.GetOpRegister(n)));
            bool usesRex = Enumerable.Range(0, info.OpCount).Any(n => instruction.GetOpKind(n) == OpKind.Register
                && (instruction.GetOpRegister(n) is IcedRegister.DIL or IcedRegister.R9L || instruction.GetOpRegister(n).GetSize() == 8
                    || instruction.GetOpRegister(n).GetNumber() >= 8));
            if (usesHigh && (usesRex || (memory && choice >= 8)))
                continue;
            if (info.Mnemonic is Mnemonic.Div or Mnemonic.Idiv && !memory
                && instruction.Op0Register.GetFullRegister() is IcedRegister.RAX or IcedRegister.RDX)
                continue;
            yield return Form(in instruction);
            if (memory && info.CanUseLockPrefix && instruction.Op0Kind == OpKind.Memory)
            {
                instruction.HasLockPrefix = true;
                yield return Form(in instruction);
            }
        }
    }

    private static bool IsMemory(OpCodeOperandKind kind) => kind is OpCodeOperandKind.mem or OpCodeOperandKind.mem_offs
        or OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r64_or_mem;

    private static bool SetOperand(ref Instruction i, int n, OpCodeOperandKind kind, bool memory, int choice)
    {
        if (IsMemory(kind) && memory)
        {
            i.SetOpKind(n, OpKind.Memory);
            i.MemoryBase = IcedRegister.RSI;
            i.MemoryDisplSize = 1;
            i.MemoryDisplacement64 = 0x10;
            if (choice >= 8)
            {
                i.MemoryIndex = IcedRegister.R8;
                i.MemoryIndexScale = choice == 8 ? 1 : 4;
            }
            return true;
        }
        IcedRegister word = s_words[(choice + (n * 2)) % s_words.Length];
        switch (kind)
        {
            case OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r8_or_mem:
                i.SetOpRegister(n, s_bytes[(choice + (n * 3)) % s_bytes.Length]);
                break;
            case OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_rm or OpCodeOperandKind.r16_or_mem:
                i.SetOpRegister(n, word);
                break;
            case OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_or_mem
                or OpCodeOperandKind.r32_vvvv:
                i.SetOpRegister(n, word.GetFullRegister32());
                break;
            case OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_opcode or OpCodeOperandKind.r64_rm or OpCodeOperandKind.r64_or_mem
                or OpCodeOperandKind.r64_vvvv:
                i.SetOpRegister(n, word.GetFullRegister());
                break;
            case OpCodeOperandKind.al:
                i.SetOpRegister(n, IcedRegister.AL);
                break;
            case OpCodeOperandKind.cl:
                i.SetOpRegister(n, IcedRegister.CL);
                break;
            case OpCodeOperandKind.ax:
                i.SetOpRegister(n, IcedRegister.AX);
                break;
            case OpCodeOperandKind.eax:
                i.SetOpRegister(n, IcedRegister.EAX);
                break;
            case OpCodeOperandKind.rax:
                i.SetOpRegister(n, IcedRegister.RAX);
                break;
            case OpCodeOperandKind.imm8:
                i.SetOpKind(n, OpKind.Immediate8);
                i.Immediate8 = (byte)(choice switch { 0 => 0, 1 => 1, 2 => 8, 3 => 0x1F, 4 => 13, _ => choice * 37 });
                break;
            case OpCodeOperandKind.imm8_const_1:
                i.SetOpKind(n, OpKind.Immediate8);
                i.Immediate8 = 1;
                break;
            case OpCodeOperandKind.imm8sex16:
                i.SetOpKind(n, OpKind.Immediate8to16);
                i.Immediate8to16 = (short)((choice * 51) - 128);
                break;
            case OpCodeOperandKind.imm8sex32:
                i.SetOpKind(n, OpKind.Immediate8to32);
                i.Immediate8to32 = (choice * 28) - 128;
                break;
            case OpCodeOperandKind.imm8sex64:
                i.SetOpKind(n, OpKind.Immediate8to64);
                i.Immediate8to64 = (choice * 28) - 128;
                break;
            case OpCodeOperandKind.imm16:
                i.SetOpKind(n, OpKind.Immediate16);
                i.Immediate16 = (ushort)(choice * 0x1F35);
                break;
            case OpCodeOperandKind.imm32:
                i.SetOpKind(n, OpKind.Immediate32);
                i.Immediate32 = (uint)choice * 0x2B3C_4D5E;
                break;
            case OpCodeOperandKind.imm32sex64:
                i.SetOpKind(n, OpKind.Immediate32to64);
                i.Immediate32to64 = (int)((uint)choice * 0x2B3C_4D5E);
                break;
            case OpCodeOperandKind.imm64:
                i.SetOpKind(n, OpKind.Immediate64);
                i.Immediate64 = (ulong)choice * 0x1B3C_4D5E_6F70_8192;
                break;
            case OpCodeOperandKind.seg_rBX_al:
                i.SetOpKind(n, OpKind.Memory);
                i.MemoryBase = IcedRegister.RBX;
                i.MemoryIndex = IcedRegister.AL;
                break;
            default:
                return false;
        }
        // A word's immediate of 16 bits for double shifts must stay below the width.
        if (i.Mnemonic is Mnemonic.Shld or Mnemonic.Shrd && kind == OpCodeOperandKind.imm8 && i.Op1Register.GetSize() == 2)
            i.Immediate8 &= 0x0F;
        return true;
    }

    private static IntegerForm Form(in Instruction instruction)
    {
        Instruction i = instruction;
        return new IntegerForm
        {
            Bytes = IntegerForm.Encode(in i),
            Text = i.ToString(),
            Prepare = (general, address, random) => Prepare(in i, general, address, random),
            Undefined = before => Undefined(in i, before),
        };
    }

    private static void Prepare(in Instruction i, Span<ulong> general, ulong address, Random random)
    {
        general[8] = (ulong)random.Next(16);
        general[6] = address;
        if (i.Mnemonic == Mnemonic.Xlatb)
            general[3] = address;
        if (i.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc && i.Op0Kind == OpKind.Memory
            && i.Op1Kind == OpKind.Register)
            general[Operands.Index(i.Op1Register)] = (ulong)random.Next(-3000, 3000);
        if (i.Mnemonic is Mnemonic.Shld or Mnemonic.Shrd && i.Op2Kind == OpKind.Register && i.Op1Register.GetSize() == 2)
            general[1] &= ~0x10UL;
        if (i.Mnemonic is Mnemonic.Bextr or Mnemonic.Bzhi && random.Next(4) != 0)
            general[Operands.Index(i.Op2Register)] = (ulong)(random.Next(70) | (random.Next(70) << 8));
        if (i.Mnemonic == Mnemonic.Cmpxchg16b)
            general[8] &= ~15UL;
        if (i.Mnemonic is Mnemonic.Bsf or Mnemonic.Bsr && i.Op1Kind == OpKind.Register)
            general[Operands.Index(i.Op1Register)] |= 1UL << random.Next(i.Op1Register.GetSize() * 8);
        if (i.Mnemonic is Mnemonic.Div or Mnemonic.Idiv)
            PrepareDivision(in i, general, random);
    }

    // A quotient and a divisor are chosen first, so that the dividend never overflows.
    private static void PrepareDivision(in Instruction i, Span<ulong> general, Random random)
    {
        int size = i.Op0Kind == OpKind.Register ? i.Op0Register.GetSize() : i.MemorySize.GetSize();
        if (i.Op0Kind == OpKind.Memory)
        {
            // What memory holds is not known here: a zero dividend suits any divisor but zero.
            general[0] = (uint)random.Next(1, 50);
            general[2] = 0;
            if (size == 1)
                general[0] = 1;
            return;
        }
        int bits = size * 8;
        int index = Operands.Index(i.Op0Register);
        int shift = Operands.IsHighByte(i.Op0Register) ? 8 : 0;
        index = shift != 0 ? index - 4 : index;
        ulong mask = ulong.MaxValue >> (64 - bits);
        ulong raw = general[index] >> shift & mask;
        if (raw == 0)
            raw = 3;
        general[index] = (general[index] & ~(mask << shift)) | (raw << shift);
        UInt128 dividend;
        if (i.Mnemonic == Mnemonic.Div)
        {
            dividend = ((UInt128)(general[9] & mask) * raw) + (general[10] % raw);
        }
        else
        {
            Int128 divisor = (long)(raw << (64 - bits)) >> (64 - bits);
            Int128 quotient = (long)(general[9] << (64 - bits)) >> (64 - bits);
            dividend = (UInt128)(quotient * divisor);
            if (quotient == -(Int128.One << (bits - 1)) && divisor == -1)
                dividend = 1;
        }
        if (size == 1)
        {
            general[0] = (general[0] & ~0xFFFFUL) | (ushort)dividend;
            return;
        }
        general[0] = (general[0] & ~mask) | ((ulong)dividend & mask);
        general[2] = (general[2] & ~mask) | ((ulong)(dividend >> bits) & mask);
    }

    private static uint Undefined(in Instruction i, ulong[] before)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test:
                return Af;
            case Mnemonic.Mul or Mnemonic.Imul:
                return Sf | Zf | Af | Pf;
            case Mnemonic.Div or Mnemonic.Idiv:
                return LazyFlags.Arithmetic;
            case Mnemonic.Bsf or Mnemonic.Bsr:
                return LazyFlags.Arithmetic & ~Zf;
            case Mnemonic.Andn or Mnemonic.Blsi or Mnemonic.Blsmsk or Mnemonic.Blsr or Mnemonic.Bzhi:
                return Af | Pf;
            case Mnemonic.Bextr:
                return Sf | Af | Pf;
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                return OfFlag | Sf | Af | Pf;
            case Mnemonic.Tzcnt or Mnemonic.Lzcnt:
                return OfFlag | Sf | Af | Pf;
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Shld or Mnemonic.Shrd:
            case Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr:
                int last = i.OpCount - 1;
                int size = i.Op0Kind == OpKind.Register ? i.Op0Register.GetSize() : i.MemorySize.GetSize();
                int count = (int)(i.GetOpKind(last) == OpKind.Register ? before[1] : i.GetImmediate(last)) & (size == 8 ? 63 : 31);
                if (count == 0)
                    return 0;
                bool rotates = i.Mnemonic is Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr;
                return (count == 1 ? 0 : OfFlag) | (rotates ? 0 : Af) | (!rotates && count > size * 8 ? Cf : 0);
            default:
                return 0;
        }
    }

    private static IEnumerable<IntegerForm> Strings(Code code)
    {
        for (int repeat = 0; repeat < 3; repeat++)
        {
            OpCodeInfo info = code.ToOpCode();
            if (repeat != 0 && !info.CanUseRepPrefix && !info.CanUseRepnePrefix)
                continue;
            for (int addressBytes = 4; addressBytes <= 8; addressBytes += 4)
            {
                if (addressBytes == 4)
                    continue; // the host's memory lies above 4 GiB
                byte[] plain = Plain(code);
                byte[] bytes = repeat == 0 ? plain : [repeat == 1 ? (byte)0xF3 : (byte)0xF2, .. plain];
                yield return new IntegerForm
                {
                    Bytes = bytes,
                    Text = $"{(repeat == 1 ? "rep " : repeat == 2 ? "repne " : string.Empty)}{code}",
                    Prepare = static (general, address, random) =>
                    {
                        general[6] = address + (ulong)random.Next(-100, 300);
                        general[7] = random.Next(2) == 0 ? address + (ulong)random.Next(-100, 300)
                            : general[6] + (ulong)random.Next(-20, 20);
                        general[1] = (ulong)random.Next(30);
                    },
                    Undefined = static _ => 0,
                };
            }
        }
    }

    private static byte[] Plain(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        byte opcode = (byte)info.OpCode;
        return info.OperandSize == 16 || code.ToString().Contains("16") ? [0x66, opcode] : code.ToString().Contains("64")
            || code.ToString().Contains("RAX") ? [0x48, opcode] : [opcode];
    }
}
