using Iced.Intel;

namespace Vmm.Debugging;

/// <summary>Disassembles guest code in the mode that a processor is in.</summary>
public static class Disassembler
{
    private const int LongestInstruction = 15;
    private const int MostInstructions = 1024;

    /// <summary>Bits of the code that a processor runs: 16, 32 or 64 (SDM Vol. 3A 3.4.5).</summary>
    public static int CodeSize(in ProcessorState state)
    {
        const ulong LongModeActive = 0x400;
        const uint Long = 0x2000, Big = 0x4000;
        uint attributes = state.Segments.Cs.Attributes;
        if ((state.Control.Efer & LongModeActive) != 0 && (attributes & Long) != 0)
            return 64;
        return (attributes & Big) != 0 ? 32 : 16;
    }

    /// <summary>Linear address of the next instruction.</summary>
    public static ulong LinearRip(in ProcessorState state) =>
        CodeSize(in state) == 64 ? state.General.Rip : (uint)(state.Segments.Cs.Base + state.General.Rip);

    /// <summary>Disassembles from the next instruction on.</summary>
    /// <inheritdoc cref="Disassemble(IVirtualProcessor, ulong, int)"/>
    public static IReadOnlyList<GuestInstruction> Disassemble(IVirtualProcessor processor, int count)
    {
        ArgumentNullException.ThrowIfNull(processor);
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        return Disassemble(processor, LinearRip(in state), count);
    }

    /// <summary>Disassembles from an address on.</summary>
    /// <param name="processor">The processor; at rest.</param>
    /// <param name="address">Linear address.</param>
    /// <param name="count">Most instructions, 1 to 1024.</param>
    /// <returns>The instructions up to the first byte that cannot be read or is no instruction; perhaps none.</returns>
    public static IReadOnlyList<GuestInstruction> Disassemble(IVirtualProcessor processor, ulong address, int count)
    {
        ArgumentNullException.ThrowIfNull(processor);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MostInstructions);
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        byte[] code = new byte[count * LongestInstruction];
        int length = LinearMemory.Read(processor, address, code);
        List<GuestInstruction> instructions = [];
        ByteArrayCodeReader reader = new(code, 0, length);
        Decoder decoder = Decoder.Create(CodeSize(in state), reader, address);
        NasmFormatter formatter = new();
        StringOutput text = new();
        while (instructions.Count < count && reader.CanReadByte)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid)
                break;
            formatter.Format(in instruction, text);
            int start = (int)(instruction.IP - address);
            instructions.Add(new GuestInstruction(instruction.IP, code.AsMemory(start, instruction.Length), text.ToStringAndReset()));
        }
        return instructions;
    }
}
