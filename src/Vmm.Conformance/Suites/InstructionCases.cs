using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Samples of what instructions compute, against arithmetic done here by the manual's formulas.</summary>
internal static class InstructionCases
{
    private const ulong Arithmetic = 0x8D5;

    public static ConformanceCase[] All =>
    [
        new("instructions.add_sub_flags", "ADD, ADC, SUB, SBB give results and all six flags, in every size",
            "SDM Vol. 2 ADD, ADC, SUB, SBB; Vol. 1 3.4.3.1", AddSubFlags),
        new("instructions.inc_dec_carry", "INC and DEC set flags but keep carry", "SDM Vol. 2 INC, DEC", IncDecCarry),
        new("instructions.multiply_divide", "MUL, IMUL, DIV and IDIV of 64 bits agree with 128-bit arithmetic",
            "SDM Vol. 2 MUL, IMUL, DIV, IDIV", MultiplyDivide),
        new("instructions.shifts", "Shifts and rotates mask their count and give carry", "SDM Vol. 2 SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR",
            Shifts),
        new("instructions.double_shifts", "SHLD and SHRD take bits from the second operand", "SDM Vol. 2 SHLD, SHRD", DoubleShifts),
        new("instructions.string_compare", "REPE CMPSB and REPNE SCASB stop at the right element with the right flags",
            "SDM Vol. 2 CMPS, SCAS, REP", StringCompare),
        new("instructions.string_move", "REP MOVSQ and LODSW go both ways, and overlapping bytes are copied one by one",
            "SDM Vol. 2 MOVS, LODS", StringMove),
        new("instructions.bit_tests", "BT, BTS, BTR, BTC reach bits beyond the operand in memory; BSF and BSR find them",
            "SDM Vol. 2 BT, BTS, BSF, BSR", BitTests),
        new("instructions.compare_exchange", "CMPXCHG, CMPXCHG8B and CMPXCHG16B exchange when equal, load when not",
            "SDM Vol. 2 CMPXCHG, CMPXCHG8B/16B", CompareExchange),
        new("instructions.stack", "ENTER, LEAVE, PUSHA, POPA, PUSHF and CALL leave the stack as the manual draws it",
            "SDM Vol. 2 ENTER, LEAVE, PUSHA", Stack),
        new("instructions.conditions", "All sixteen conditions of SETcc follow the flags", "SDM Vol. 1 appendix B", Conditions),
        new("instructions.wide_registers", "32-bit results clear the upper half, 8 and 16-bit results keep it; high bytes are reached",
            "SDM Vol. 1 3.4.1.1", WideRegisters),
    ];

    private static void AddSubFlags(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        Random random = new(3);
        foreach (int bits in (int[])[8, 16, 32, 64])
        {
            ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
            for (int operation = 0; operation < 4; operation++)
            {
                m.Enter(GuestMode.Long, a =>
                {
                    a.push(rsi);
                    a.popfq();
                    Apply(a, operation, bits);
                    a.pushfq();
                    a.pop(rdi);
                    a.hlt();
                });
                ProcessorState start = default;
                m.Processor.GetState(RegisterGroups.General, out start);
                for (int round = 0; round < 12; round++)
                {
                    ulong left = round < 2 ? mask : round == 2 ? mask >> 1 : (ulong)random.NextInt64() * 3;
                    ulong right = round is 0 or 2 ? 1 : round == 1 ? mask : (ulong)random.NextInt64() * 3;
                    ulong carry = operation >= 2 ? (ulong)(round & 1) : 0;
                    m.Enter(GuestMode.Long);
                    start.General.Rax = left;
                    start.General.Rbx = right;
                    start.General.Rsi = 2 | carry;
                    m.Processor.SetState(RegisterGroups.General, start);
                    m.RunToHalt();
                    bool subtract = (operation & 1) != 0;
                    ulong x = left & mask, y = right & mask;
                    UInt128 wide = subtract ? (UInt128)x - y - carry : (UInt128)x + y + carry;
                    ulong result = (ulong)wide & mask;
                    ulong sign = 1UL << (bits - 1);
                    ulong flags = (((ulong)(wide >> bits) & 1) != 0 ? 1UL : 0) | (ulong.PopCount(result & 0xFF) % 2 == 0 ? 4UL : 0)
                        | ((x ^ y ^ result) & 0x10) | (result == 0 ? 0x40UL : 0) | ((result & sign) != 0 ? 0x80UL : 0);
                    bool overflow = subtract ? ((x ^ y) & (x ^ result) & sign) != 0 : (~(x ^ y) & (x ^ result) & sign) != 0;
                    string what = $"{(subtract ? "subtract" : "add")} of {bits} bits, 0x{x:X} and 0x{y:X}, carry {carry}";
                    Verify.Equal(m[Register.Rax] & mask, result, what);
                    Verify.Bits(m[Register.Rdi], Arithmetic, flags | (overflow ? 0x800UL : 0), $"Flags of {what}");
                }
            }
        }
    }

    private static void Apply(Assembler a, int operation, int bits)
    {
        switch (bits)
        {
            case 8:
                Choose(operation, () => a.add(al, bl), () => a.sub(al, bl), () => a.adc(al, bl), () => a.sbb(al, bl));
                break;
            case 16:
                Choose(operation, () => a.add(ax, bx), () => a.sub(ax, bx), () => a.adc(ax, bx), () => a.sbb(ax, bx));
                break;
            case 32:
                Choose(operation, () => a.add(eax, ebx), () => a.sub(eax, ebx), () => a.adc(eax, ebx), () => a.sbb(eax, ebx));
                break;
            default:
                Choose(operation, () => a.add(rax, rbx), () => a.sub(rax, rbx), () => a.adc(rax, rbx), () => a.sbb(rax, rbx));
                break;
        }

        static void Choose(int operation, params Action[] actions) => actions[operation]();
    }

    private static void IncDecCarry(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.stc();
            a.inc(al);
            a.pushfq();
            a.pop(rdx);
            a.clc();
            a.dec(bl);
            a.pushfq();
            a.pop(rsi);
            a.hlt();
        });
        m[Register.Rax] = 0x7F;
        m[Register.Rbx] = 0;
        m.RunToHalt();
        Verify.Bits(m[Register.Rdx], Arithmetic, 0x891, "INC of 7Fh with carry set: OF, SF, AF, CF");
        Verify.Bits(m[Register.Rsi], Arithmetic, 0x94, "DEC of 0 with carry clear: SF, AF, PF");
    }

    private static void MultiplyDivide(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        Random random = new(11);
        for (int round = 0; round < 20; round++)
        {
            m.Enter(GuestMode.Long, a =>
            {
                a.mov(rbx, rsi);
                a.mul(rdi);
                a.setc(r8b);
                a.mov(r9, rax);
                a.mov(r10, rdx);
                a.div(rdi);
                a.mov(r11, rax);
                a.mov(rax, rbx);
                a.imul(rdi);
                a.mov(r12, rdx);
                a.mov(rax, rbx);
                a.cqo();
                a.idiv(rdi);
                a.hlt();
            });
            ulong x = round == 0 ? 5 : (ulong)random.NextInt64() * 3;
            ulong y = round == 0 ? 7 : (ulong)random.NextInt64() | 1;
            if (round % 3 == 0)
                y >>= 40;
            y |= 3;
            m[Register.Rax] = m[Register.Rsi] = x;
            m[Register.Rdi] = y;
            m.RunToHalt();
            UInt128 product = (UInt128)x * y;
            Int128 signed = (Int128)(long)x * (long)y;
            m.VerifyRegisters(
                (Register.R9, (ulong)product), (Register.R10, (ulong)(product >> 64)), (Register.R11, x),
                    (Register.R12, (ulong)(signed >> 64)),
                (Register.Rax, (ulong)((long)x / (long)y)), (Register.Rdx, (ulong)((long)x % (long)y)));
            Verify.Bits(m[Register.R8], 0xFF, product >> 64 != 0 ? 1UL : 0, "CF of MUL");
        }
    }

    private static void Shifts(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(cl, 33);
            a.shl(eax, cl);
            a.mov(cl, 65);
            a.shr(rbx, cl);
            a.sar(dl, 3);
            a.stc();
            a.rcl(si, 1);
            a.setc(r8b);
            a.ror(edi, 8);
            a.setc(r9b);
            a.clc();
            a.rcr(r10, 1);
            a.setc(r11b);
            a.mov(cl, 32);
            a.stc();
            a.shl(r12d, cl);
            a.setc(r13b);
            a.hlt();
        });
        m[Register.Rax] = 0xFFFF_FFFF_8000_0001;
        m[Register.Rbx] = 0x8000_0000_0000_0003;
        m[Register.Rdx] = 0x90;
        m[Register.Rsi] = 0x8000;
        m[Register.Rdi] = 0x1234_56F8;
        m[Register.R10] = 3;
        m[Register.R12] = 0x1111_2222_3333_4444;
        m.RunToHalt();
        m.VerifyRegisters(
            (Register.Rax, 2), (Register.Rbx, 0x4000_0000_0000_0001), (Register.Rdx, 0xF2), (Register.Rsi, 1), (Register.R8, 1),
                (Register.Rdi, 0xF812_3456),
            (Register.R9, 1), (Register.R10, 1), (Register.R11, 1), (Register.R12, 0x3333_4444), (Register.R13, 1));
    }

    private static void DoubleShifts(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.shld(eax, ebx, 8);
            a.mov(cl, 12);
            a.shrd(rdx, rsi, cl);
            a.setc(dil);
            a.hlt();
        });
        m[Register.Rax] = 0x1234_5678;
        m[Register.Rbx] = 0xABCD_EF01;
        m[Register.Rdx] = 0x1111_2222_3333_4844;
        m[Register.Rsi] = 0x5555_6666_7777_8FFF;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x3456_78AB), (Register.Rdx, 0xFFF1_1112_2223_3334), (Register.Rdi, 1));
    }

    private static void StringCompare(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.repe.cmpsb();
            a.seta(bl);
            a.mov(r8, rcx);
            a.mov(r9, rsi);
            a.mov(edi, (int)GuestLayout.Data);
            a.mov(ecx, 100);
            a.mov(al, 0);
            a.repne.scasb();
            a.sete(bh);
            a.hlt();
        });
        m.Memory.Write(GuestLayout.Data, "conformance\0"u8);
        m.Memory.Write(GuestLayout.Data + 0x100, "confabulate\0"u8);
        m[Register.Rsi] = GuestLayout.Data;
        m[Register.Rdi] = GuestLayout.Data + 0x100;
        m[Register.Rcx] = 11;
        m.RunToHalt();
        m.VerifyRegisters((Register.R8, 6), (Register.R9, GuestLayout.Data + 5), (Register.Rbx, 0x101),
            (Register.Rdi, GuestLayout.Data + 12), (Register.Rcx, 88));
    }

    private static void StringMove(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.rep.movsq();
            a.mov(esi, (int)GuestLayout.Data);
            a.lea(rdi, __[rsi + 1]);
            a.mov(ecx, 7);
            a.rep.movsb();
            a.std();
            a.mov(esi, (int)GuestLayout.Data + 0x22);
            a.lodsw();
            a.lodsw();
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0xAB, 1);
        m.Poke(GuestLayout.Data + 0x20, 0x4444_3333_2222_1111);
        m[Register.Rsi] = GuestLayout.Data + 0x20;
        m[Register.Rdi] = GuestLayout.Data + 0x1FFC;
        m[Register.Rcx] = 1;
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data), 0xABAB_ABAB_ABAB_ABAB, "Overlapping copy");
        Verify.Equal(m.Peek(GuestLayout.Data + 0x1FFC), 0x4444_3333_2222_1111UL, "Copy across a page");
        m.VerifyRegisters((Register.Rax, 0x1111), (Register.Rsi, GuestLayout.Data + 0x1E));
    }

    private static void BitTests(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, 1000);
            a.bts(__qword_ptr[GuestLayout.Data], rax);
            a.setc(bl);
            a.bt(__dword_ptr[GuestLayout.Data], eax);
            a.setc(bh);
            a.mov(rcx, -1);
            a.btr(__qword_ptr[GuestLayout.Data + 8], rcx);
            a.setc(dl);
            a.btc(esi, 35);
            a.bsf(r8, rdi);
            a.bsr(r9d, edi);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x8000_0000_0000_0000);
        m[Register.Rdi] = 0xF0_0010_0200;
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 125, 1), 1UL, "Byte 125: bit 1000");
        Verify.Equal(m.Peek(GuestLayout.Data), 0UL, "Bit -1 from byte 8 was reset");
        m.VerifyRegisters((Register.Rbx, 0x100), (Register.Rdx, 1), (Register.Rsi, 8), (Register.R8, 9), (Register.R9, 20));
    }

    private static void CompareExchange(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@lock.cmpxchg(__dword_ptr[GuestLayout.Data], ecx);
            a.sete(sil);
            a.mov(r8, rax);
            a.mov(eax, 0x1111);
            a.xor(edx, edx);
            a.mov(ebx, 0x2222);
            a.mov(ecx, 0x3333);
            a.@lock.cmpxchg8b(__qword_ptr[GuestLayout.Data + 8]);
            a.sete(dil);
            a.mov(eax, 0x5555);
            a.mov(edx, 0x6666);
            a.@lock.cmpxchg16b(__xmmword_ptr[GuestLayout.Data + 16]);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x77, 4);
        m.Poke(GuestLayout.Data + 8, 0x1111);
        m.Poke(GuestLayout.Data + 16, 0x1234_5678_9ABC_DEF0);
        m.Poke(GuestLayout.Data + 24, 0x6666);
        m[Register.Rax] = 0xFFFF_FFFF_0000_0099;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, 0), (Register.R8, 0x77), (Register.Rdi, 1), (Register.Rax, 0x1234_5678_9ABC_DEF0),
            (Register.Rdx, 0x6666));
        Verify.Equal(m.Peek(GuestLayout.Data, 4), 0x77UL, "Memory that was not equal");
        Verify.Equal(m.Peek(GuestLayout.Data + 8), 0x3333_0000_2222UL, "Memory exchanged by CMPXCHG8B");
        Verify.Bits(m[Register.Rflags], 0x40, 0, "ZF of CMPXCHG16B");
    }

    private static void Stack(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.enter(8, 0);
            a.mov(esi, ebp);
            a.leave();
            a.pushad();
            a.mov(edi, __dword_ptr[esp + 12]);
            a.popad();
            a.push(__dword_ptr[esp - 4]);
            a.pop(ebx);
            a.hlt();
        });
        m[Register.Rax] = 0x11;
        m[Register.Rbp] = 0x1234;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rsi, GuestLayout.StackTop - 4), (Register.Rbp, 0x1234), (Register.Rsp, GuestLayout.StackTop),
            (Register.Rax, 0x11), (Register.Rbx, 0x11));
    }

    private static void Conditions(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        foreach (ulong flags in (ulong[])[2, 3, 0x42, 0x82, 0x802, 0x882, 0x6, 0x43, 0x8C7])
        {
            m.Enter(GuestMode.Long, a =>
            {
                for (int condition = 0; condition < 16; condition++)
                    a.db(0x0F, (byte)(0x90 + condition), 0x83, (byte)condition, 0, 0, 0); // setcc [rbx + condition]
                a.hlt();
            });
            m[Register.Rbx] = GuestLayout.Data;
            m[Register.Rflags] = flags;
            m.RunToHalt();
            bool cf = (flags & 1) != 0, zf = (flags & 0x40) != 0, sf = (flags & 0x80) != 0, of = (flags & 0x800) != 0,
                pf = (flags & 4) != 0;
            bool[] even = [of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of];
            for (int condition = 0; condition < 16; condition++)
            {
                bool expected = even[condition >> 1] != ((condition & 1) != 0);
                Verify.Equal(m.Peek(GuestLayout.Data + (ulong)condition, 1), expected ? 1UL : 0,
                    $"Condition {condition:X} with flags 0x{flags:X}");
            }
        }
    }

    private static void WideRegisters(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(eax, eax);
            a.mov(bx, 0x1234);
            a.mov(cl, 0x56);
            a.mov(dh, 0x78);
            a.mov(sil, 0x9A);
            a.xchg(r8d, r8d);
            a.bswap(rdi);
            a.movzx(ebp, ch);
            a.hlt();
        });
        foreach (Register register in (Register[])[Register.Rax, Register.Rbx, Register.Rcx, Register.Rdx, Register.Rsi, Register.R8])
            m[register] = 0x1122_3344_5566_7788;
        m[Register.Rdi] = 0x0102_0304_0506_0708;
        m.RunToHalt();
        m.VerifyRegisters(
            (Register.Rax, 0x5566_7788), (Register.Rbx, 0x1122_3344_5566_1234), (Register.Rcx, 0x1122_3344_5566_7756),
                (Register.Rdx, 0x1122_3344_5566_7888),
            (Register.Rsi, 0x1122_3344_5566_779A), (Register.R8, 0x5566_7788), (Register.Rdi, 0x0807_0605_0403_0201), (Register.Rbp, 0x77));
    }
}
