using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>VCVTPS2PH: the one conversion whose destination may be memory (SDM Vol. 2C).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class VexHalfStores
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.VEX_Vcvtps2ph_xmmm64_xmm_imm8, &Store<Vector64<byte>>);
        table.Set(Code.VEX_Vcvtps2ph_xmmm128_ymm_imm8, &Store<Vector128<byte>>);
    }

    private static Outcome Store<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        // The immediate gives the rounding, or leaves it to MXCSR; results may be denormal whatever MXCSR.FTZ says.
        byte immediate = i->Immediate8;
        uint mxcsr = FloatComparisons.RoundingMode(s->Mxcsr, immediate) & ~MxcsrBits.FlushToZero, flags = 0;
        Vector256<byte> result = default;
        byte* source = VexOperands.Slot(s, i->Op1Register);
        for (int lane = 0; lane < sizeof(T) / 2; lane++)
            VexLanes.Set<Binary16>(&result, lane, Narrow(((uint*)source)[lane], mxcsr, ref flags));
        if (i->Op0Kind == OpKind.Register)
            return VexLanes.Finish(cpu, s, flags, VexOperands.Slot(s, i->Op0Register), result) ? Outcome.Next : cpu.Stopped;
        // A fault of the memory comes before one of the numbers; neither leaves flags behind that the other one's would not.
        uint before = s->Mxcsr;
        if (!Operands.Linear(cpu, i, sizeof(T), true, out ulong linear) || !cpu.ProbeWrite(linear, sizeof(T))
            || !SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        if (cpu.Write(linear, *(T*)&result))
            return Outcome.Next;
        s->Mxcsr = before;
        return cpu.Stopped;
    }

    // To nearest and inside the range of normal numbers, where inexactness is recorded already, it is one addition.
    private static ulong Narrow(uint x, uint mxcsr, ref uint flags)
    {
        uint exponent = (x >> 23) & 0xFF, magnitude = x & 0x7FFF_FFFF;
        if (!HostFloat.Usual(mxcsr) || exponent is < 127 - 13 or > 127 + 14)
            return SoftFloat<Binary32>.Convert<Binary16>(x, mxcsr, ref flags);
        return ((x >> 16) & 0x8000) | (((magnitude + 0xFFF + ((magnitude >> 13) & 1)) >> 13) - ((127U - 15) << 10));
    }
}
