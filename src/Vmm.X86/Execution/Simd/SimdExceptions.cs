using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>The end of every instruction that may raise SIMD floating-point exceptions (SDM Vol. 1 11.5.3).</summary>
// SAFETY: pointers are the processor's state block.
internal static unsafe class SimdExceptions
{
    private const uint BeforeComputation = MxcsrBits.InvalidOperation | MxcsrBits.Denormal | MxcsrBits.DivideByZero;

    /// <summary>Merges flags into MXCSR. False: one is not masked, #XM (or #UD) is recorded and the destination must stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Accept(ProcessorCore cpu, VcpuState* s, uint flags)
    {
        uint mxcsr = s->Mxcsr;
        if ((flags & ~(mxcsr >> MxcsrBits.MaskShift)) != 0)
            return Refuse(cpu, s, flags);
        s->Mxcsr = mxcsr | flags;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Refuse(ProcessorCore cpu, VcpuState* s, uint flags)
    {
        // When an operand already stops it, the instruction computes nothing: no element reports about a result.
        if ((flags & ~(s->Mxcsr >> MxcsrBits.MaskShift) & BeforeComputation) != 0)
            flags &= BeforeComputation;
        s->Mxcsr |= flags;
        cpu.Raise((s->Cr4 & Cr4Bits.OsXmmExceptions) != 0 ? ExceptionVector.SimdFloatingPoint : ExceptionVector.InvalidOpcode);
        return false;
    }
}
