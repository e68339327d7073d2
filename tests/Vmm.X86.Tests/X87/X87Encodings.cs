using Iced.Intel;

namespace Vmm.X86.Tests.X87;

/// <summary>Every x87 encoding there is, with [RDI] as memory operand, as the decoder finds them.</summary>
internal static class X87Encodings
{
    public static IReadOnlyList<(byte[] Bytes, Instruction Instruction)> All { get; } = [.. Find()];

    private static IEnumerable<(byte[] Bytes, Instruction Instruction)> Find()
    {
        for (int first = 0xD8; first <= 0xDF; first++)
        {
            for (int second = 0; second < 0x100; second++)
            {
                if (second < 0xC0 && (second & 0xC7) != 7)
                    continue;
                byte[] bytes = [(byte)first, (byte)second];
                Instruction instruction = Decode(bytes);
                if (!instruction.IsInvalid)
                    yield return (bytes, instruction);
                byte[] prefixed = [0x66, .. bytes];
                Instruction narrow = Decode(prefixed);
                if (!narrow.IsInvalid && narrow.Code != instruction.Code)
                    yield return (prefixed, narrow);
            }
        }

        byte[][] others =
            [[0x9B], [0x0F, 0x77], [0x0F, 0xAE, 0x07], [0x48, 0x0F, 0xAE, 0x07], [0x0F, 0xAE, 0x0F], [0x48, 0x0F, 0xAE, 0x0F]];
        foreach (byte[] bytes in others)
            yield return (bytes, Decode(bytes));
    }

    private static Instruction Decode(byte[] bytes)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes), X87Machine.Code);
        return decoder.Decode();
    }
}
