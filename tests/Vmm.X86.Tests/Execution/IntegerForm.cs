using Iced.Intel;

namespace Vmm.X86.Tests.Execution;

/// <summary>One encoded instruction with what its operands must look like.</summary>
internal sealed class IntegerForm
{
    public delegate void Preparation(Span<ulong> general, ulong memoryAddress, Random random);

    public required byte[] Bytes { get; init; }

    public required string Text { get; init; }

    public int Rounds { get; init; } = 12;

    /// <summary>Sets registers so that the instruction neither faults nor leaves its memory.</summary>
    public required Preparation Prepare { get; init; }

    /// <summary>Flags that the manual leaves undefined for the given registers.</summary>
    public required Func<ulong[], uint> Undefined { get; init; }

    public static byte[] Encode(in Instruction instruction)
    {
        MemoryStream stream = new();
        Encoder encoder = Encoder.Create(64, new StreamCodeWriter(stream));
        encoder.Encode(instruction, 0);
        return stream.ToArray();
    }
}
