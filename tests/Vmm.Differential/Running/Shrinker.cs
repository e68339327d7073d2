using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Vmm.Differential.Cases;

namespace Vmm.Differential.Running;

/// <summary>Runs a case on both sides and says what differs.</summary>
internal delegate string? CaseRunner(in TestCase test, byte[] record);

/// <summary>Makes a differing case small: whatever can be zero or at its default without ending the difference becomes so.</summary>
internal sealed class Shrinker(InstructionSource instructions, CaseRunner run)
{
    private static readonly string[] s_names =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>Shrinks a case and describes what is left.</summary>
    public string Shrink(TestCase test, byte[] record)
    {
        string? difference = run(in test, record);
        if (difference == null)
            return Describe(in test, record, "the difference did not repeat");
        byte[] best = [.. record];
        DropPrefixes(ref test, ref best, ref difference);
        Try(in test, ref best, ref difference, r => BinaryPrimitives.WriteUInt64LittleEndian(r.AsSpan(CaseLayout.FlagsOffset), 0x202));
        for (int i = 0; i < 16; i++)
        {
            int register = i;
            Try(in test, ref best, ref difference, r => r.AsSpan(CaseLayout.GeneralOffset + (8 * register), 8).Clear());
        }

        for (int i = 0; i < 8; i++)
        {
            int register = i;
            Try(in test, ref best, ref difference,
                r => r.AsSpan(CaseLayout.VectorsOffset + CaseLayout.StackOffset + (16 * register), 16).Clear());
        }

        for (int i = 0; i < 32; i++)
        {
            int offset = i < 16 ? CaseLayout.XmmOffset + (16 * i) : CaseLayout.UpperOffset + (16 * (i - 16));
            Try(in test, ref best, ref difference, r => r.AsSpan(CaseLayout.VectorsOffset + offset, 16).Clear());
        }

        Try(in test, ref best, ref difference, r => r.AsSpan(CaseLayout.VectorsOffset + 2, 3).Clear());
        Try(in test, ref best, ref difference, r => BinaryPrimitives.WriteUInt16LittleEndian(r.AsSpan(CaseLayout.VectorsOffset), 0x37F));
        Try(in test, ref best, ref difference,
            r => BinaryPrimitives.WriteUInt32LittleEndian(r.AsSpan(CaseLayout.VectorsOffset + CaseLayout.MxcsrOffset), 0x1F80));
        for (int length = CaseLayout.DataLength; length >= 8; length /= 4)
        {
            for (int from = 0; from < CaseLayout.DataLength; from += length)
            {
                int start = CaseLayout.DataOffset + from, count = length;
                if (best.AsSpan(start, count).ContainsAnyExcept((byte)0))
                    Try(in test, ref best, ref difference, r => r.AsSpan(start, count).Clear());
            }
        }

        run(in test, best);
        return Describe(in test, best, difference);
    }

    /// <summary>A case as text: bytes, instruction, every register that is not zero, what differs.</summary>
    public string Describe(in TestCase test, byte[] record, string? difference)
    {
        StringBuilder text = new();
        Span<byte> bytes = record.AsSpan(CaseLayout.CodeBytesOffset,
            BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(CaseLayout.CodeCountOffset)));
        string what = test.Instruction.IsInvalid ? "(no instruction)" : test.Instruction.ToString();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"case {test.Number}: {Convert.ToHexString(bytes)}  {what}  [{test.Instruction.Code}]"
            + $"{(test.Bits == 32 ? " in 32-bit code" : "")}{(test.InBlocks ? " in a block" : "")}");
        text.Append(CultureInfo.InvariantCulture,
            $"  rip {Word(record, CaseLayout.RipOffset):X} flags {Word(record, CaseLayout.FlagsOffset):X}");
        for (int i = 0; i < 16; i++)
        {
            if (Word(record, 8 * i) != 0)
                text.Append(CultureInfo.InvariantCulture, $" {s_names[i]} {Word(record, 8 * i):X}");
        }

        text.AppendLine();
        Span<byte> area = record.AsSpan(CaseLayout.VectorsOffset);
        text.Append(CultureInfo.InvariantCulture,
            $"  mxcsr {(uint)Word(area, CaseLayout.MxcsrOffset):X} fcw {(ushort)Word(area, 0):X} "
            + $"fsw {(ushort)Word(area, 2):X} tags {area[4]:X2}");
        for (int i = 0; i < 8; i++)
            Append(text, $"st{i}", area.Slice(CaseLayout.StackOffset + (16 * i), 10));
        for (int i = 0; i < 16; i++)
            Append(text, $"xmm{i}", area.Slice(CaseLayout.XmmOffset + (16 * i), 16));
        for (int i = 0; i < 16; i++)
            Append(text, $"upper{i}", area.Slice(CaseLayout.UpperOffset + (16 * i), 16));
        text.AppendLine();
        ulong operand = test.Operand - CaseLayout.DataAddress;
        if (operand < CaseLayout.DataLength)
        {
            int length = Math.Min(64, CaseLayout.DataLength - (int)operand);
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  memory at {test.Operand:X}: {Convert.ToHexString(record.AsSpan(CaseLayout.DataOffset + (int)operand, length))}");
        }

        text.Append(CultureInfo.InvariantCulture, $"  => {difference ?? "no difference"}");
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, ReadOnlySpan<byte> value)
    {
        if (!value.ContainsAnyExcept((byte)0))
            return;
        byte[] bigEndian = value.ToArray();
        Array.Reverse(bigEndian);
        text.Append(CultureInfo.InvariantCulture, $" {name} {Convert.ToHexString(bigEndian)}");
    }

    private static ulong Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);

    private void DropPrefixes(ref TestCase test, ref byte[] best, ref string difference)
    {
        const int From = CaseLayout.CodeBytesOffset;
        int i = 0;
        while (!test.Instruction.IsInvalid && !test.Truncated && i < test.Instruction.Length - 1
            && (best[From + i] is 0x66 or 0x67 or 0xF0 or 0xF2 or 0xF3 or 0x26 or 0x2E or 0x36 or 0x3E or 0x64 or 0x65
                || (best[From + i] >> 4 == 4 && test.Bits == 64)))
        {
            byte[] shorter = [.. best];
            shorter.AsSpan(From + i + 1, CaseLayout.MostCodeBytes - i - 1).CopyTo(shorter.AsSpan(From + i));
            shorter[From + CaseLayout.MostCodeBytes - 1] = CaseLayout.Filler;
            int count = BinaryPrimitives.ReadInt32LittleEndian(best.AsSpan(CaseLayout.CodeCountOffset)) - 1;
            BinaryPrimitives.WriteInt32LittleEndian(shorter.AsSpan(CaseLayout.CodeCountOffset), count);
            string? again = null;
            TestCase candidate = test;
            if (instructions.Decode(shorter.AsSpan(From, CaseLayout.MostCodeBytes), Word(best, CaseLayout.RipOffset), test.Bits,
                out Instruction instruction)
                && instruction.Code == test.Instruction.Code && instruction.Length == count)
            {
                candidate = test with { Instruction = instruction };
                again = run(in candidate, shorter);
            }

            if (again == null)
            {
                i++;
                continue;
            }

            test = candidate;
            best = shorter;
            difference = again;
        }
    }

    private void Try(in TestCase test, ref byte[] best, ref string difference, Action<byte[]> change)
    {
        byte[] candidate = [.. best];
        change(candidate);
        string? again = run(in test, candidate);
        if (again == null)
            return;
        best = candidate;
        difference = again;
    }
}
