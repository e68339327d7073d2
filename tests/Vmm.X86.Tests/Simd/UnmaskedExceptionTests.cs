using Iced.Intel;
using Vmm.X86.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Simd;

/// <summary>
/// Unmasked SIMD exceptions. The expected MXCSR values were recorded from a processor, by running the instruction under a SIGFPE handler:
/// an operand exception keeps every element from reporting about its result, and the destination stays.
/// </summary>
// SAFETY: the pointers are the processor's state block.
public sealed unsafe class UnmaskedExceptionTests
{
    private const double Tiny = 1.5E-323, Smallest = 2.2250738585072014E-308, Huge = 1.7E308;
    private static readonly double s_signalling = BitConverter.UInt64BitsToDouble(0x7FF0_0000_0000_0001);

    public static TheoryData<string, double[], double[], uint, bool, uint> Recorded => new()
    {
        { "mulpd", [Tiny, 1], [1.1, 1], 0x1E80, true, 0x1E82 },
        { "mulpd", [Tiny, 1.1], [1, 1.1], 0x1E80, true, 0x1E82 },
        { "mulpd", [1.1, Tiny], [1.1, 1], 0x1E80, true, 0x1E82 },
        { "mulpd", [Tiny, 1], [1.1, 1], 0x1780, true, 0x1792 },
        { "mulpd", [1E-200, 1], [1E-200, 1], 0x1780, true, 0x17B0 },
        { "mulpd", [Smallest, 1], [0.5, 1], 0x1780, true, 0x1790 },
        { "mulpd", [Smallest, 1], [0.5, 1], 0x1F80, false, 0x1F80 },
        { "mulpd", [Smallest, 1], [0.5, 1], 0x9F80, false, 0x9FB0 },
        { "mulpd", [Smallest, 1], [0.5, 1], 0x9780, true, 0x9790 },
        { "mulpd", [Huge, 1], [Huge, 1], 0x1B80, true, 0x1BA8 },
        { "mulpd", [Huge, 1], [4, 1], 0x1B80, true, 0x1B88 },
        { "mulpd", [Huge, Tiny], [Huge, 1], 0x1B80, true, 0x1BAA },
        { "mulpd", [Huge, Tiny], [Huge, 1], 0x1E80, true, 0x1E82 },
        { "mulpd", [Huge, s_signalling], [Huge, 1], 0x1F00, true, 0x1F01 },
        { "mulpd", [s_signalling, s_signalling], [Tiny, 1.1], 0x1F00, true, 0x1F01 },
        { "mulpd", [s_signalling, Tiny], [1.1, 1.1], 0x1F00, true, 0x1F03 },
        { "mulpd", [s_signalling, Tiny], [1.1, 1.1], 0x1E80, true, 0x1E83 },
        { "divpd", [1, 1], [0, 3], 0x1D80, true, 0x1D84 },
        { "divpd", [Tiny, 1], [0, 3], 0x1F80, false, 0x1FA4 },
        { "divpd", [Tiny, 1], [0, 3], 0x1D80, true, 0x1D84 },
        { "divpd", [Tiny, 1], [0, 3], 0x1E80, false, 0x1EA4 },
        { "divpd", [Tiny, 1], [0, 3], 0x1C80, true, 0x1C84 },
        { "divpd", [double.NaN, 1], [0, 3], 0x1F80, false, 0x1FA0 },
        { "sqrtpd", [0, 0], [-Tiny, 1], 0x1F80, false, 0x1F81 },
        { "cvtpd2ps", [0, 0], [1E-40, 1.1], 0x1780, true, 0x17B0 },
        { "cvtpd2dq", [0, 0], [1E40, 1.1], 0x1F80, false, 0x1FA1 },
        { "cvtpd2dq", [0, 0], [1E40, 1.1], 0x1F00, true, 0x1F01 },
        { "cvtpd2dq", [0, 0], [1E40, 1.1], 0x0F80, true, 0x0FA1 },
        { "addpd", [1, 1], [1E-30, 1], 0x0F80, true, 0x0FA0 },
        { "addpd", [1, Tiny], [1E-30, 1], 0x0F80, true, 0x0FA2 },
        { "addpd", [1, Tiny], [1E-30, 1], 0x0E80, true, 0x0E82 },
        { "addpd", [Smallest, 1], [-Smallest * 1.5, 1], 0x1780, true, 0x1790 },
        { "addpd", [Smallest, 1], [-Smallest * 1.5, 1], 0x9F80, false, 0x9FB0 },
    };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Exception_flags_and_fault_are_as_recorded(
        string mnemonic, double[] first, double[] second, uint mxcsr, bool faults, uint after)
    {
        using IdentityProcessor processor = new();
        VcpuState* s = processor.S;
        s->Mxcsr = mxcsr;
        ulong before0 = s->Vector[4] = BitConverter.DoubleToUInt64Bits(first[0]);
        ulong before1 = s->Vector[5] = BitConverter.DoubleToUInt64Bits(first[1]);
        s->Vector[8] = BitConverter.DoubleToUInt64Bits(second[0]);
        s->Vector[9] = BitConverter.DoubleToUInt64Bits(second[1]);

        Outcome outcome = processor.Run(a => Emit(a, mnemonic));

        outcome.Should().Be(faults ? Outcome.Fault : Outcome.Next);
        s->Mxcsr.Should().Be(after);
        if (faults)
        {
            s->Fault.Vector.Should().Be(19);
            s->Vector[4].Should().Be(before0);
            s->Vector[5].Should().Be(before1);
        }
    }

    [Fact]
    public void Unmasked_exception_without_operating_system_support_is_an_invalid_opcode()
    {
        using IdentityProcessor processor = new();
        VcpuState* s = processor.S;
        s->Cr4 &= ~Cr4Bits.OsXmmExceptions;
        s->Mxcsr = 0x1D80;
        s->Vector[4] = BitConverter.DoubleToUInt64Bits(1);
        processor.Run(a => a.divsd(xmm1, xmm2)).Should().Be(Outcome.Fault);
        s->Fault.Vector.Should().Be(6);
    }

    private static void Emit(Assembler a, string mnemonic)
    {
        switch (mnemonic)
        {
            case "mulpd": a.mulpd(xmm1, xmm2); break;
            case "divpd": a.divpd(xmm1, xmm2); break;
            case "addpd": a.addpd(xmm1, xmm2); break;
            case "sqrtpd": a.sqrtpd(xmm1, xmm2); break;
            case "cvtpd2ps": a.cvtpd2ps(xmm1, xmm2); break;
            default: a.cvtpd2dq(xmm1, xmm2); break;
        }
    }
}
