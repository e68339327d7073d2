using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// RCPPS, RSQRTPS and their scalar forms. The architecture bounds only their relative error (1.5 * 2^-12), so an x86 host's own answer is
/// taken where there is one, as a guest beside it would see; elsewhere the correctly rounded value. They raise no exceptions.
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class FloatApproximations
{
    internal static uint Reciprocal(uint x) => Sse.IsSupported
        ? Sse.ReciprocalScalar(Vector128.CreateScalar(x).AsSingle()).AsUInt32().ToScalar()
        : PortableReciprocal(x);

    /// <summary>Where the host has no such instruction.</summary>
    internal static uint PortableReciprocal(uint x)
    {
        uint magnitude = x & 0x7FFF_FFFF, sign = x & 0x8000_0000;
        if (magnitude > 0x7F80_0000)
            return x | 0x40_0000;
        if (magnitude < 0x80_0000)
            return sign | 0x7F80_0000; // denormals count as zero
        uint result = BitConverter.SingleToUInt32Bits((float)(1.0 / BitConverter.UInt32BitsToSingle(x)));
        return (result & 0x7FFF_FFFF) < 0x80_0000 ? sign : result;
    }

    internal static uint ReciprocalSquareRoot(uint x) => Sse.IsSupported
        ? Sse.ReciprocalSqrtScalar(Vector128.CreateScalar(x).AsSingle()).AsUInt32().ToScalar()
        : PortableReciprocalSquareRoot(x);

    /// <inheritdoc cref="PortableReciprocal"/>
    internal static uint PortableReciprocalSquareRoot(uint x)
    {
        uint magnitude = x & 0x7FFF_FFFF, sign = x & 0x8000_0000;
        if (magnitude > 0x7F80_0000)
            return x | 0x40_0000;
        if (magnitude < 0x80_0000)
            return sign | 0x7F80_0000;
        return sign != 0 ? 0xFFC0_0000 : BitConverter.SingleToUInt32Bits((float)(1.0 / Math.Sqrt(BitConverter.UInt32BitsToSingle(x))));
    }

    private static Outcome Packed(ProcessorCore cpu, VcpuState* s, Instruction* i, delegate*<uint, uint> operation)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        for (int lane = 0; lane < 4; lane++)
            ((uint*)&source)[lane] = operation(((uint*)&source)[lane]);
        *SimdOperands.Xmm(s, i->Op0Register) = source;
        return Outcome.Next;
    }

    private static Outcome Scalar(ProcessorCore cpu, VcpuState* s, Instruction* i, delegate*<uint, uint> operation)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 4, out ulong source))
            return cpu.Stopped;
        *(uint*)SimdOperands.Xmm(s, i->Op0Register) = operation((uint)source);
        return Outcome.Next;
    }

    private static Outcome Rcpps(ProcessorCore cpu, VcpuState* s, Instruction* i) => Packed(cpu, s, i, &Reciprocal);

    private static Outcome Rcpss(ProcessorCore cpu, VcpuState* s, Instruction* i) => Scalar(cpu, s, i, &Reciprocal);

    private static Outcome Rsqrtps(ProcessorCore cpu, VcpuState* s, Instruction* i) => Packed(cpu, s, i, &ReciprocalSquareRoot);

    private static Outcome Rsqrtss(ProcessorCore cpu, VcpuState* s, Instruction* i) => Scalar(cpu, s, i, &ReciprocalSquareRoot);

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Rcpps_xmm_xmmm128, &Rcpps);
        table.Set(Code.Rcpss_xmm_xmmm32, &Rcpss);
        table.Set(Code.Rsqrtps_xmm_xmmm128, &Rsqrtps);
        table.Set(Code.Rsqrtss_xmm_xmmm32, &Rsqrtss);
    }
}
