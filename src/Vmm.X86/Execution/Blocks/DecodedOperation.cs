using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// One predecoded operation, 32 bytes: an instruction, a fused pair (compare and branch) or a pseudo-operation at the end of a block.
/// Registers are byte offsets into <see cref="VcpuState"/> (AH is RAX's offset + 1); an absent one is the offset of
/// <see cref="VcpuState.Zero"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DecodedOperation
{
    /// <summary>Address of the handler: <c>delegate* of (ProcessorCore, VcpuState*, DecodedOperation*) to DecodedOperation*</c>.</summary>
    public nint Handler;

    /// <summary>Immediate operand, or of a branch the operation to go on with, or of a table call the decoded instruction.</summary>
    public ulong Immediate;

    /// <summary>Address displacement; page-relative where RIP-relative. Of a branch: target relative to the page's first byte.</summary>
    public int Displacement;

    /// <summary>Destination (first operand) register.</summary>
    public ushort Destination;

    /// <summary>Source (second operand) register.</summary>
    public ushort Source;

    /// <summary>Base register of the memory operand.</summary>
    public ushort Base;

    /// <summary>Index register of the memory operand.</summary>
    public ushort Index;

    /// <summary>Offset of the instruction in its page. The following operation's is the offset after it (up to 4096 + 14).</summary>
    public ushort Offset;

    /// <summary>Instructions of the block before this one.</summary>
    public byte Before;

    /// <summary>Memory operand: scale (bits 0-1), segment (2-4), address size 16/32/64 as 0/1/2 (5-6), RIP-relative (7).</summary>
    public byte Form;

    /// <summary>A table call's handler lies where other operations keep displacement, destination and source.</summary>
    public static nint* TableHandler(DecodedOperation* operation) => (nint*)&operation->Displacement;
}
