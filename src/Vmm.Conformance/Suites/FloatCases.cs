using System.Buffers.Binary;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Samples of SSE and x87 instructions.</summary>
internal static class FloatCases
{
    public static ConformanceCase[] All =>
    [
        new("instructions.sse_arithmetic", "Scalar and packed SSE2 arithmetic agrees with IEEE doubles",
            "SDM Vol. 2 ADDPD, SQRTSD, CVTTSD2SI; IEEE 754", SseArithmetic),
        new("instructions.sse_integer", "Packed integer instructions work lane by lane", "SDM Vol. 2 PADDD, PCMPEQB, PSHUFD, PMOVMSKB",
            SseInteger),
        new("instructions.x87_arithmetic", "x87 loads, arithmetic and stores agree with IEEE doubles", "SDM Vol. 1 8.3; IEEE 754",
            X87Arithmetic),
        new("instructions.fxsave", "FXSAVE and FXRSTOR carry x87 and SSE state through memory", "SDM Vol. 2 FXSAVE, FXRSTOR",
            FxsaveFxrstor),
        new("instructions.xsave", "XSAVE and XRSTOR heed the requested components", "SDM Vol. 1 13.7, 13.8", XsaveXrstor),
    ];

    private static void Doubles(GuestMachine m, ulong address, params double[] values)
    {
        for (int i = 0; i < values.Length; i++)
            m.Poke(address + ((ulong)i * 8), BitConverter.DoubleToUInt64Bits(values[i]));
    }

    private static void Double(GuestMachine m, ulong address, double expected, string what) =>
        Verify.Equal(m.Peek(address), BitConverter.DoubleToUInt64Bits(expected), what);

    private static void SseArithmetic(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movapd(xmm0, __xmmword_ptr[GuestLayout.Data]);
            a.movapd(xmm1, __xmmword_ptr[GuestLayout.Data + 16]);
            a.movapd(xmm2, xmm0);
            a.addpd(xmm2, xmm1);
            a.movapd(__xmmword_ptr[GuestLayout.Data + 32], xmm2);
            a.movapd(xmm3, xmm0);
            a.mulsd(xmm3, xmm1);
            a.movapd(__xmmword_ptr[GuestLayout.Data + 48], xmm3);
            a.movapd(xmm4, xmm0);
            a.divpd(xmm4, xmm1);
            a.movapd(__xmmword_ptr[GuestLayout.Data + 64], xmm4);
            a.sqrtsd(xmm5, xmm1);
            a.movsd(__qword_ptr[GuestLayout.Data + 80], xmm5);
            a.cvttsd2si(rax, xmm0);
            a.cvtsi2sd(xmm6, rsi);
            a.movsd(__qword_ptr[GuestLayout.Data + 88], xmm6);
            a.ucomisd(xmm0, xmm1);
            a.seta(bl);
            a.hlt();
        });
        const double A = -1234.5625, B = 1e100, C = 3.25, D = -7e-3;
        Doubles(m, GuestLayout.Data, A, B, C, D);
        m[Register.Rsi] = unchecked((ulong)-9_007_199_254_740_993L);
        m.RunToHalt();
        Double(m, GuestLayout.Data + 32, A + C, "Low sum");
        Double(m, GuestLayout.Data + 40, B + D, "High sum");
        Double(m, GuestLayout.Data + 48, A * C, "Scalar product");
        Double(m, GuestLayout.Data + 56, B, "Upper half kept by the scalar product");
        Double(m, GuestLayout.Data + 64, A / C, "Low quotient");
        Double(m, GuestLayout.Data + 72, B / D, "High quotient");
        Double(m, GuestLayout.Data + 80, Math.Sqrt(C), "Square root");
        Double(m, GuestLayout.Data + 88, -9_007_199_254_740_993L, "Converted integer");
        m.VerifyRegisters((Register.Rax, unchecked((ulong)-1234L)), (Register.Rbx, 0));
    }

    private static void SseInteger(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movdqa(xmm0, __xmmword_ptr[GuestLayout.Data]);
            a.movdqa(xmm1, __xmmword_ptr[GuestLayout.Data + 16]);
            a.movdqa(xmm2, xmm0);
            a.paddd(xmm2, xmm1);
            a.movdqa(__xmmword_ptr[GuestLayout.Data + 32], xmm2);
            a.pshufd(xmm3, xmm0, 0x1B);
            a.movdqa(__xmmword_ptr[GuestLayout.Data + 48], xmm3);
            a.pcmpeqb(xmm0, xmm1);
            a.pmovmskb(eax, xmm0);
            a.pxor(xmm1, xmm1);
            a.movdqa(__xmmword_ptr[GuestLayout.Data + 64], xmm1);
            a.movq(xmm4, rsi);
            a.movd(ebx, xmm4);
            a.hlt();
        });
        uint[] x = [0xFFFF_FFFF, 0x1122_3344, 0x8000_0000, 7];
        uint[] y = [2, 0x1122_9944, 0x8000_0001, 7];
        for (uint i = 0; i < 4; i++)
        {
            m.Poke(GuestLayout.Data + (i * 4), x[i], 4);
            m.Poke(GuestLayout.Data + 16 + (i * 4), y[i], 4);
        }
        m.Poke(GuestLayout.Data + 64, ulong.MaxValue);
        m[Register.Rsi] = 0xAAAA_BBBB_CCCC_DDDD;
        m.RunToHalt();
        uint equal = 0;
        for (int i = 0; i < 4; i++)
        {
            Verify.Equal(m.Peek(GuestLayout.Data + 32 + ((ulong)i * 4), 4), unchecked(x[i] + y[i]), $"Sum {i}");
            Verify.Equal(m.Peek(GuestLayout.Data + 48 + ((ulong)i * 4), 4), x[3 - i], $"Shuffled {i}");
            for (int j = 0; j < 4; j++)
                equal |= ((x[i] ^ y[i]) >> (8 * j) & 0xFF) == 0 ? 1U << ((4 * i) + j) : 0;
        }
        Verify.Equal(m.Peek(GuestLayout.Data + 64), 0UL, "PXOR with itself");
        m.VerifyRegisters((Register.Rax, equal), (Register.Rbx, 0xCCCC_DDDD));
    }

    private static void X87Arithmetic(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.fninit();
            a.fldcw(__word_ptr[GuestLayout.Data + 128]);
            a.fld(__qword_ptr[GuestLayout.Data]);
            a.fmul(__qword_ptr[GuestLayout.Data + 8]);
            a.fst(__qword_ptr[GuestLayout.Data + 16]);
            a.fild(__dword_ptr[GuestLayout.Data + 132]);
            a.faddp(st1, st0);
            a.fstp(__qword_ptr[GuestLayout.Data + 24]);
            a.fld(__qword_ptr[GuestLayout.Data + 8]);
            a.fsqrt();
            a.fstp(__qword_ptr[GuestLayout.Data + 32]);
            a.fld(__qword_ptr[GuestLayout.Data]);
            a.fistp(__qword_ptr[GuestLayout.Data + 40]);
            a.fld1();
            a.fldz();
            a.fcompp();
            a.fnstsw(ax);
            a.hlt();
        });
        const double A = -1234.5625, B = 3.7;
        Doubles(m, GuestLayout.Data, A, B);
        m.Poke(GuestLayout.Data + 128, 0x027F, 2); // double precision, so that results round as IEEE doubles do
        m.Poke(GuestLayout.Data + 132, 1000, 4);
        m.RunToHalt();
        Double(m, GuestLayout.Data + 16, A * B, "Product");
        Double(m, GuestLayout.Data + 24, (A * B) + 1000, "Sum with an integer");
        Double(m, GuestLayout.Data + 32, Math.Sqrt(B), "Square root");
        Verify.Equal(m.Peek(GuestLayout.Data + 40), unchecked((ulong)-1235L), "Rounded to nearest");
        Verify.Bits(m[Register.Rax], 0x7D00, 0x0100, "C0 alone of 0 < 1, TOP 0");
    }

    private static void FxsaveFxrstor(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.fninit();
            a.fld1();
            a.movups(xmm7, __xmmword_ptr[GuestLayout.Data]);
            a.fxsave(__[GuestLayout.Data + 0x200]);
            a.fninit();
            a.pxor(xmm7, xmm7);
            a.fxrstor(__[GuestLayout.Data + 0x200]);
            a.fstp(__qword_ptr[GuestLayout.Data + 32]);
            a.movups(__xmmword_ptr[GuestLayout.Data + 48], xmm7);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x1122_3344_5566_7788);
        m.Poke(GuestLayout.Data + 8, 0x99AA_BBCC_DDEE_FF00);
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 0x200, 2), 0x037FUL, "FCW in memory");
        Verify.Equal(m.Peek(GuestLayout.Data + 0x204, 1), 0x80UL, "Abridged tag word in memory: R7 in use");
        Verify.Equal(m.Peek(GuestLayout.Data + 0x218, 4), 0x1F80UL, "MXCSR in memory");
        Double(m, GuestLayout.Data + 32, 1, "ST(0) after FXRSTOR");
        Verify.Equal(m.Peek(GuestLayout.Data + 48), 0x1122_3344_5566_7788UL, "XMM7 after FXRSTOR, low half");
        Verify.Equal(m.Peek(GuestLayout.Data + 56), 0x99AA_BBCC_DDEE_FF00, "XMM7 after FXRSTOR, high half");
    }

    private static void XsaveXrstor(ConformanceContext c)
    {
        ConformanceContext.SkipUnless((c.GuestCpuid(1).Ecx & (1 << 26)) != 0, "The processor model has no XSAVE.");
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, cr4);
            a.or(eax, 1 << 18);
            a.mov(cr4, rax);
            a.xor(ecx, ecx);
            a.mov(eax, 3);
            a.xor(edx, edx);
            a.xsetbv();
            a.fninit();
            a.fld1();
            a.movups(xmm7, __xmmword_ptr[GuestLayout.Data]);
            a.mov(eax, 2);
            a.xsave(__[GuestLayout.Data + 0x400]);
            a.pxor(xmm7, xmm7);
            a.fninit();
            a.mov(eax, 3);
            a.xrstor(__[GuestLayout.Data + 0x400]);
            a.movups(__xmmword_ptr[GuestLayout.Data + 48], xmm7);
            a.fnstsw(ax);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 0x1122_3344_5566_7788);
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.Data + 0x600), 2UL, "XSTATE_BV in memory: SSE alone was asked for");
        Verify.Equal(m.Peek(GuestLayout.Data + 48), 0x1122_3344_5566_7788UL, "XMM7 after XRSTOR");
        m.VerifyRegisters((Register.Xcr0, 3));
    }
}
