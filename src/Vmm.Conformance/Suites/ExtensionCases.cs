using System.Buffers.Binary;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>What processor models show beyond the baseline: bit manipulation, AES, AVX and its state. Each case asks CPUID first.</summary>
internal static class ExtensionCases
{
    private const ulong D = GuestLayout.Data;

    public static ConformanceCase[] All =>
    [
        new("extensions.bit_fields", "BMI1 and BMI2 extract, deposit, isolate, multiply and shift", "SDM Vol. 2 ANDN, BEXTR, BLSR, PDEP, PEXT, MULX",
            BitFields),
        new("extensions.counts", "LZCNT and TZCNT count zeros, of zero too", "SDM Vol. 2 LZCNT, TZCNT", Counts),
        new("extensions.swapped_moves", "MOVBE swaps bytes on the way in and out", "SDM Vol. 2 MOVBE", SwappedMoves),
        new("extensions.aes", "AES rounds give what the standard's example prints", "FIPS 197 appendix B; SDM Vol. 2 AESENC, AESENCLAST", Aes),
        new("extensions.carryless", "PCLMULQDQ multiplies the quadwords that its immediate picks", "SDM Vol. 2 PCLMULQDQ", Carryless),
        new("extensions.avx_enabling", "VEX instructions are #UD until CR4 and XCR0 enable them, and #NM with CR0.TS", "SDM Vol. 2A 2.4, table 2-18",
            AvxEnabling),
        new("extensions.upper_halves", "VEX.128 clears upper halves, legacy SSE keeps them, VZEROUPPER clears all", "SDM Vol. 1 14.1.2, Vol. 2 VZEROUPPER",
            UpperHalves),
        new("extensions.avx_state", "Upper halves go in and out where CPUID places them, and to zero where XSTATE_BV is clear",
            "SDM Vol. 1 13.4.3, 13.5.3", AvxState),
        new("extensions.wide_integers", "AVX2 adds and permutes over both lanes, and gathers", "SDM Vol. 2 VPADDD, VPERMQ, VPGATHERDD", WideIntegers),
        new("extensions.fused", "FMA rounds once", "SDM Vol. 1 14.5.2", Fused),
        new("extensions.half_floats", "F16C converts both ways", "SDM Vol. 2 VCVTPH2PS, VCVTPS2PH", HalfFloats),
    ];

    private static void Need(ConformanceContext c, uint leaf, char register, int bit, string name)
    {
        CpuidResult answer = c.GuestCpuid(leaf & 0x8000_0000).Eax >= leaf ? c.GuestCpuid(leaf) : default;
        uint word = register switch { 'b' => answer.Ebx, 'c' => answer.Ecx, _ => answer.Edx };
        ConformanceContext.SkipUnless(((word >> bit) & 1) != 0, $"The processor model has no {name}.");
    }

    private static void NeedAvx(ConformanceContext c) => Need(c, 1, 'c', 28, "AVX");

    /// <summary>A guest in 64-bit mode that enables AVX state before the code.</summary>
    private static GuestMachine EnterAvx(ConformanceContext c, Action<Assembler> build) => c.Enter(GuestMode.Long, a =>
    {
        EnableXsave(a);
        a.mov(eax, 7);
        a.cdq();
        a.xor(ecx, ecx);
        a.xsetbv();
        build(a);
        a.hlt();
    });

    private static void EnableXsave(Assembler a)
    {
        a.mov(rax, cr4);
        a.or(eax, (1 << 9) | (1 << 10) | (1 << 18)); // OSFXSR, OSXMMEXCPT, OSXSAVE
        a.mov(cr4, rax);
    }

    private static void BitFields(ConformanceContext c)
    {
        Need(c, 7, 'b', 3, "BMI1");
        Need(c, 7, 'b', 8, "BMI2");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, 0x1234_5678_9ABC_DEF0UL);
            a.mov(rbx, 0x0F0F_0000_FF00_00F0UL);
            a.andn(rcx, rbx, rax);
            a.mov(edx, 0x1008); // 16 bits from bit 8
            a.bextr(rsi, rax, rdx);
            a.pext(rdi, rax, rbx);
            a.pdep(r8, rdi, rbx);
            a.blsr(r9, rbx);
            a.blsi(r10, rbx);
            a.blsmsk(r11, rbx);
            a.mov(rdx, rax);
            a.mulx(r13, r12, rax);
            a.mov(r14d, 12);
            a.bzhi(r14, rax, r14);
            a.rorx(r15, rax, 20);
            a.mov(edx, 68); // the count is taken modulo 64
            a.sarx(rax, rax, rdx);
            a.hlt();
        });
        m.RunToHalt();
        const ulong value = 0x1234_5678_9ABC_DEF0, mask = 0x0F0F_0000_FF00_00F0;
        (ulong extracted, ulong deposited) = (0, 0);
        int taken = 0;
        for (int bit = 0; bit < 64; bit++)
        {
            if (((mask >> bit) & 1) == 0)
                continue;
            extracted |= ((value >> bit) & 1) << taken++;
            deposited |= value & (1UL << bit);
        }
        UInt128 product = (UInt128)value * value;
        m.VerifyRegisters(
            (Register.Rcx, ~mask & value), (Register.Rsi, 0xBCDE), (Register.Rdi, extracted), (Register.R8, deposited),
            (Register.R9, mask & (mask - 1)), (Register.R10, 0x10), (Register.R11, 0x1F), (Register.R12, (ulong)product),
            (Register.R13, (ulong)(product >> 64)), (Register.R14, 0xEF0), (Register.R15, ulong.RotateRight(value, 20)),
            (Register.Rax, value >> 4));
    }

    private static void Counts(ConformanceContext c)
    {
        Need(c, 7, 'b', 3, "BMI1");
        Need(c, 0x8000_0001, 'c', 5, "LZCNT");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.xor(ebx, ebx);
            a.lzcnt(rcx, rbx);
            a.pushfq();
            a.pop(r8);
            a.tzcnt(edx, ebx);
            a.mov(ebx, 0x8000);
            a.lzcnt(si, bx);
            a.pushfq();
            a.pop(r9);
            a.lzcnt(rdi, rbx);
            a.tzcnt(r10, rbx);
            a.hlt();
        });
        m[Register.Rsi] = 0;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rcx, 64), (Register.Rdx, 32), (Register.Rsi, 0), (Register.Rdi, 48), (Register.R10, 15));
        Verify.Bits(m[Register.R8], 0x41, 0x01, "CF and ZF after LZCNT of zero");
        Verify.Bits(m[Register.R9], 0x41, 0x40, "CF and ZF after LZCNT of the highest bit");
    }

    private static void SwappedMoves(ConformanceContext c)
    {
        Need(c, 1, 'c', 22, "MOVBE");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movbe(rax, __qword_ptr[D]);
            a.movbe(ebx, __dword_ptr[D]);
            a.movbe(cx, __word_ptr[D]);
            a.movbe(__qword_ptr[D + 16], rax);
            a.movbe(__dword_ptr[D + 24], eax);
            a.hlt();
        });
        m[Register.Rcx] = 0xFFFF_0000;
        m.Poke(D, 0x0123_4567_89AB_CDEF);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0xEFCD_AB89_6745_2301), (Register.Rbx, 0xEFCD_AB89), (Register.Rcx, 0xFFFF_EFCD));
        Verify.Equal(m.Peek(D + 16), 0x0123_4567_89AB_CDEFUL, "The quadword stored");
        Verify.Equal(m.Peek(D + 24, 4), 0x0123_4567UL, "The doubleword stored");
    }

    private static void Aes(ConformanceContext c)
    {
        Need(c, 1, 'c', 25, "AES");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movups(xmm0, __xmmword_ptr[D]);
            a.aesenc(xmm0, __xmmword_ptr[D + 16]);
            a.movups(__xmmword_ptr[D + 64], xmm0);
            a.movups(xmm1, __xmmword_ptr[D + 32]);
            a.movups(xmm2, __xmmword_ptr[D + 48]);
            a.aesenclast(xmm1, xmm2);
            a.movups(__xmmword_ptr[D + 80], xmm1);
            a.pxor(xmm1, xmm2); // undone again
            a.pxor(xmm3, xmm3);
            a.aesdeclast(xmm1, xmm3);
            a.movups(__xmmword_ptr[D + 96], xmm1);
            a.hlt();
        });
        byte[] last = Convert.FromHexString("eb40f21e592e38848ba113e71bc342d2");
        m.Memory.Write(D, Convert.FromHexString("193de3bea0f4e22b9ac68d2ae9f84808"));
        m.Memory.Write(D + 16, Convert.FromHexString("a0fafe1788542cb123a339392a6c7605"));
        m.Memory.Write(D + 32, last);
        m.Memory.Write(D + 48, Convert.FromHexString("d014f9a8c9ee2589e13f0cc8b6630ca6"));
        m.RunToHalt();
        Verify.Bytes(m.PeekBytes(D + 64, 16), Convert.FromHexString("a49c7ff2689f352b6b5bea43026a5049"), "The state after round 1");
        Verify.Bytes(m.PeekBytes(D + 80, 16), Convert.FromHexString("3925841d02dc09fbdc118597196a0b32"), "The output");
        Verify.Bytes(m.PeekBytes(D + 96, 16), last, "The last round undone");
    }

    private static void Carryless(ConformanceContext c)
    {
        Need(c, 1, 'c', 1, "PCLMULQDQ");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movups(xmm0, __xmmword_ptr[D]);
            a.pclmulqdq(xmm0, __xmmword_ptr[D + 16], 0x10);
            a.movups(__xmmword_ptr[D + 32], xmm0);
            a.hlt();
        });
        const ulong left = 0x8000_0000_0000_0003, right = 0x4000_0000_0000_0005;
        m.Poke(D, left);
        m.Poke(D + 8, 1);
        m.Poke(D + 16, 7);
        m.Poke(D + 24, right);
        m.RunToHalt();
        UInt128 product = 0;
        for (int bit = 0; bit < 64; bit++)
            product ^= ((right >> bit) & 1) != 0 ? (UInt128)left << bit : 0;
        Verify.Equal(m.Peek(D + 32), (ulong)product, "The low half");
        Verify.Equal(m.Peek(D + 40), (ulong)(product >> 64), "The high half");
    }

    private static void AvxEnabling(ConformanceContext c)
    {
        NeedAvx(c);
        GuestMachine m = c.Enter(GuestMode.Long, a => a.vaddps(xmm0, xmm1, xmm2));
        m.RunToException(6);
        m = c.Enter(GuestMode.Long, a =>
        {
            EnableXsave(a);
            a.mov(eax, 3); // x87 and SSE alone
            a.cdq();
            a.xor(ecx, ecx);
            a.xsetbv();
            a.vaddps(xmm0, xmm1, xmm2);
        });
        m.RunToException(6);
        m = EnterAvx(c, a =>
        {
            a.vaddps(xmm0, xmm1, xmm2);
            a.mov(rax, cr0);
            a.or(eax, 8);
            a.mov(cr0, rax);
            a.vaddps(xmm0, xmm1, xmm2);
        });
        m.RunToException(7);
        // AVX without SSE is no set of states that XCR0 could hold.
        m = c.Enter(GuestMode.Long, a =>
        {
            EnableXsave(a);
            a.mov(eax, 5);
            a.cdq();
            a.xor(ecx, ecx);
            a.xsetbv();
        });
        m.RunToException(13);
    }

    private static void UpperHalves(ConformanceContext c)
    {
        NeedAvx(c);
        GuestMachine m = EnterAvx(c, a =>
        {
            a.vmovups(ymm1, __ymmword_ptr[D]);
            a.vmovups(ymm2, __ymmword_ptr[D]);
            a.vmovups(ymm3, __ymmword_ptr[D]);
            a.xorps(xmm1, xmm1);
            a.vxorps(xmm2, xmm2, xmm2);
            a.vmovups(__ymmword_ptr[D + 32], ymm1);
            a.vmovups(__ymmword_ptr[D + 64], ymm2);
            a.vzeroupper();
            a.vmovups(__ymmword_ptr[D + 96], ymm3);
        });
        for (ulong i = 0; i < 4; i++)
            m.Poke(D + (i * 8), i + 1);
        m.RunToHalt();
        ulong[] expected = [0, 0, 3, 4, 0, 0, 0, 0, 1, 2, 0, 0];
        for (int i = 0; i < expected.Length; i++)
            Verify.Equal(m.Peek(D + 32 + ((ulong)i * 8)), expected[i], $"Quadword {i}");
    }

    private static void AvxState(ConformanceContext c)
    {
        NeedAvx(c);
        CpuidResult place = c.GuestCpuid(0xD, 2);
        Verify.Equal(place.Eax, 256U, "Size of AVX state");
        Verify.Equal(place.Ebx, 576U, "Offset of AVX state");
        GuestMachine m = EnterAvx(c, a =>
        {
            a.@out((byte)GuestLayout.MarkPort, al);
            a.vmovups(__ymmword_ptr[D], ymm5);
            a.vmovups(ymm6, __ymmword_ptr[D + 64]);
        });
        for (ulong i = 0; i < 4; i++)
            m.Poke(D + 64 + (i * 8), 0x66 + i);
        m.RunToMark();
        byte[] area = new byte[m.Processor.XsaveSize];
        Verify.True(area.Length >= 832, $"The area holds AVX state ({area.Length} bytes)");
        m.Processor.GetXsave(area);
        for (int i = 0; i < 16; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(area.AsSpan(160 + (16 * i)), (ulong)(0x100 + i));
            BinaryPrimitives.WriteUInt64LittleEndian(area.AsSpan(576 + (16 * i) + 8), (ulong)(0x200 + i));
        }
        area[512] = 7;
        m.Processor.SetXsave(area);
        m.RunToHalt();
        Verify.Equal(m.Peek(D), 0x105UL, "YMM5, low quadword");
        Verify.Equal(m.Peek(D + 24), 0x205UL, "YMM5, high quadword");
        m.Processor.GetXsave(area);
        Verify.Bits(area[512], 4, 4, "XSTATE_BV");
        Verify.Equal(BinaryPrimitives.ReadUInt64LittleEndian(area.AsSpan(576 + (16 * 6))), 0x68UL, "YMM6, third quadword");
        Verify.Equal(BinaryPrimitives.ReadUInt64LittleEndian(area.AsSpan(576 + (16 * 7) + 8)), 0x207UL, "YMM7, high quadword");
        area[512] = 3;
        m.Processor.SetXsave(area);
        byte[] got = new byte[area.Length];
        m.Processor.GetXsave(got);
        Verify.True((got[512] & 4) == 0 || !got.AsSpan(576, 256).ContainsAnyExcept((byte)0), "Upper halves in their initial state");
    }

    private static void WideIntegers(ConformanceContext c)
    {
        NeedAvx(c);
        Need(c, 7, 'b', 5, "AVX2");
        GuestMachine m = EnterAvx(c, a =>
        {
            a.vmovdqu(ymm0, __ymmword_ptr[D]);
            a.vpaddd(ymm1, ymm0, ymm0);
            a.vpermq(ymm2, ymm1, 0x1B); // the other way round
            a.vmovdqu(__ymmword_ptr[D + 64], ymm2);
            a.vpcmpeqd(ymm3, ymm3, ymm3);
            a.mov(ebx, (uint)D);
            a.vpgatherdd(ymm4, __dword_ptr[rbx + ymm0 * 4], ymm3);
            a.vmovdqu(__ymmword_ptr[D + 96], ymm4);
            a.vmovdqu(__ymmword_ptr[D + 128], ymm3);
        });
        for (ulong i = 0; i < 8; i++)
            m.Poke(D + (i * 4), 7 - i, 4);
        m.RunToHalt();
        for (ulong i = 0; i < 8; i++)
        {
            ulong from = ((3 - (i >> 1)) * 2) + (i & 1);
            Verify.Equal(m.Peek(D + 64 + (i * 4), 4), (7 - from) * 2, $"Doubleword {i} of the permutation");
            Verify.Equal(m.Peek(D + 96 + (i * 4), 4), i, $"Doubleword {i} of the gather");
            Verify.Equal(m.Peek(D + 128 + (i * 4), 4), 0UL, $"Doubleword {i} of the gather's mask");
        }
    }

    private static void Fused(ConformanceContext c)
    {
        NeedAvx(c);
        Need(c, 1, 'c', 12, "FMA");
        GuestMachine m = EnterAvx(c, a =>
        {
            a.movsd(xmm0, __qword_ptr[D]);
            a.movsd(xmm1, __qword_ptr[D]);
            a.movsd(xmm2, __qword_ptr[D + 8]);
            a.vfmadd231sd(xmm2, xmm0, xmm1);
            a.movsd(__qword_ptr[D + 16], xmm2);
        });
        double x = 1 + Math.Pow(2, -30);
        m.Poke(D, BitConverter.DoubleToUInt64Bits(x));
        m.Poke(D + 8, BitConverter.DoubleToUInt64Bits(-(1 + Math.Pow(2, -29))));
        m.RunToHalt();
        Verify.Equal(m.Peek(D + 16), BitConverter.DoubleToUInt64Bits(Math.Pow(2, -60)), "What two roundings would lose");
    }

    private static void HalfFloats(ConformanceContext c)
    {
        NeedAvx(c);
        Need(c, 1, 'c', 29, "F16C");
        GuestMachine m = EnterAvx(c, a =>
        {
            a.vcvtph2ps(xmm0, __qword_ptr[D]);
            a.vmovups(__xmmword_ptr[D + 16], xmm0);
            a.vcvtps2ph(__qword_ptr[D + 32], xmm0, 0);
        });
        const ulong halves = 0x0001_FC00_C000_3C01; // 1 + 1/1024, -2, -infinity, the smallest denormal
        m.Poke(D, halves);
        m.RunToHalt();
        float[] expected = [1 + (1 / 1024f), -2, float.NegativeInfinity, MathF.Pow(2, -24)];
        for (int i = 0; i < 4; i++)
            Verify.Equal(m.Peek(D + 16 + ((ulong)i * 4), 4), BitConverter.SingleToUInt32Bits(expected[i]), $"Element {i}");
        Verify.Equal(m.Peek(D + 32), halves, "And back");
    }
}
