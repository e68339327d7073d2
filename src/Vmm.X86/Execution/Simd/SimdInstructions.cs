using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Everything of SSE to SSE4.2, MMX, AES and PCLMULQDQ.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class SimdInstructions
{
    /// <summary>Registers every family.</summary>
    public static void Register(InstructionTable table)
    {
        SimdMoves.Register(table);
        SimdElements.Register(table);
        SimdControl.Register(table);
        PackedInstructions.Register(table);
        Sse4Instructions.Register(table);
        FloatInstructions.Register(table);
        FloatComparisons.Register(table);
        FloatConversions.Register(table);
        FloatApproximations.Register(table);
        StringComparisons.Register(table);
        Crc32Instructions.Register(table);
        CipherInstructions.Register(table);
        MmxInstructions.Register(table);
        MmxPackedInstructions.Register(table);
    }
}
