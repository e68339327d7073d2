using System.Buffers.Binary;

namespace Vmm.Differential.Cases;

/// <summary>
/// Makes whole cases: instruction bytes, where they lie, registers that lead into the data pages, operands worth computing with.
/// </summary>
internal sealed class CaseSource(ulong seed, InstructionSource instructions)
{
    private readonly byte[] _pool = MakePool(seed);

    /// <summary>What the read-only page holds.</summary>
    public ReadOnlySpan<byte> ReadOnlyPage => _pool.AsSpan(0, CaseLayout.ReadOnlyLength);

    /// <summary>Fills a record with a case.</summary>
    public TestCase Make(ulong number, Span<byte> record)
    {
        CaseRandom random = new(seed, number);
        Span<byte> bytes = record.Slice(CaseLayout.CodeBytesOffset, CaseLayout.MostCodeBytes);
        int bits = instructions.ChooseBits(ref random);
        BinaryPrimitives.WriteInt32LittleEndian(record[CaseLayout.BitsOffset..], bits);
        ConstantOffsets constants = instructions.Make(ref random, bytes, CaseLayout.CodeAddress, bits, out Instruction instruction);
        int length = Math.Max(instruction.Length, 1);
        if (instruction.IsInvalid)
            length = 15;
        int position = Place(ref random, length);
        int count = Math.Min(length, CaseLayout.CodeLength - position);
        bool truncated = count < length;
        if (truncated && instruction.IsInvalid)
        {
            position = 100;
            count = length;
            truncated = false;
        }

        ulong rip = CaseLayout.CodeAddress + (ulong)position;
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseLayout.RipOffset..], rip);
        BinaryPrimitives.WriteInt32LittleEndian(record[CaseLayout.CodePositionOffset..], position);
        BinaryPrimitives.WriteInt32LittleEndian(record[CaseLayout.CodeCountOffset..], count);
        instructions.Decode(bytes, rip, bits, out instruction);

        StateSource.Fill(ref random, record, in instruction, bits);
        int window = random.Next(_pool.Length - CaseLayout.DataLength) & ~7;
        _pool.AsSpan(window, CaseLayout.DataLength).CopyTo(record[CaseLayout.DataOffset..]);
        OperandPlacement placement = new(record, bytes, in instruction, in constants, bits);
        placement.Apply(ref random);
        if (instruction.IsInvalid)
            return new TestCase(number, instruction, random.Percent(50), 0, false, bits);
        instructions.Decode(bytes, rip, bits, out instruction);
        return new TestCase(number, instruction, random.Percent(50), placement.Target, truncated, bits);
    }

    // Mostly somewhere; sometimes across the pages' border, or at the end, behind which nothing is mapped.
    private static int Place(ref CaseRandom random, int length) => random.Next(16) switch
    {
        0 => 4096 - random.Next(length + 1),
        1 => CaseLayout.CodeLength - length,
        2 when random.Percent(50) => CaseLayout.CodeLength - random.Next(1, length + 1),
        _ => random.Next(64, CaseLayout.CodeLength - 64),
    };

    private static byte[] MakePool(ulong seed)
    {
        byte[] pool = new byte[64 * 1024];
        CaseRandom random = new(seed, ulong.MaxValue);
        random.Fill(pool);
        return pool;
    }
}
