using System.Buffers.Binary;

namespace Vmm.Debugging.Registers;

// Offsets are those of the FXSAVE area (SDM Vol. 1 table 10-2), with which the XSAVE area begins.
internal sealed partial class RegisterLayout
{
    private const int ControlWord = 0, StatusWord = 2, Tags = 4, Opcode = 6, InstructionOffset = 8, InstructionSegment = 12, OperandOffset = 16, OperandSegment = 20;
    private const int Mxcsr = 24, X87Registers = 32, SseRegisters = 160;
    private const ulong X87Component = 1, SseComponent = 2, AvxComponent = 4;

    private static IEnumerable<RegisterEntry> X87()
    {
        for (int i = 0; i < 8; i++)
            yield return Bytes($"st{i}", 80, "i387_ext", "", X87Registers + (16 * i), X87Component);
        yield return Word("fctrl", ControlWord, 2);
        yield return Word("fstat", StatusWord, 2);
        yield return new RegisterEntry(
            "ftag", 32, "int", "float",
            static (view, value) => BinaryPrimitives.WriteUInt32LittleEndian(value, FullTags(view.Xsave)),
            static (view, value) =>
            {
                uint tags = BinaryPrimitives.ReadUInt32LittleEndian(value);
                int present = 0;
                for (int i = 0; i < 8; i++)
                    present |= ((tags >> (2 * i)) & 3) == 3 ? 0 : 1 << i;
                view.Xsave[Tags] = (byte)present;
                view.ChangedComponents |= X87Component;
            });
        yield return Word("fiseg", InstructionSegment, 2);
        yield return Word("fioff", InstructionOffset, 4);
        yield return Word("foseg", OperandSegment, 2);
        yield return Word("fooff", OperandOffset, 4);
        yield return Word("fop", Opcode, 2);
    }

    private static IEnumerable<RegisterEntry> Sse()
    {
        for (int i = 0; i < 16; i++)
            yield return Bytes($"xmm{i}", 128, "vec128", "", SseRegisters + (16 * i), SseComponent);
        yield return Bytes("mxcsr", 32, "i386_mxcsr", "vector", Mxcsr, SseComponent);
    }

    private static IEnumerable<RegisterEntry> Avx()
    {
        for (int i = 0; i < 16; i++)
            yield return Bytes($"ymm{i}h", 128, "uint128", "", AvxOffset + (16 * i), AvxComponent);
    }

    private static RegisterEntry Bytes(string name, int bits, string type, string group, int offset, ulong component) => new(
        name, bits, type, group,
        (view, value) => view.Xsave.AsSpan(offset, value.Length).CopyTo(value),
        (view, value) =>
        {
            value.CopyTo(view.Xsave.AsSpan(offset));
            view.ChangedComponents |= component;
        });

    // Shown with 32 bits, whatever its size.
    private static RegisterEntry Word(string name, int offset, int size) => new(
        name, 32, "int", "float",
        (view, value) =>
        {
            value.Clear();
            view.Xsave.AsSpan(offset, size).CopyTo(value);
        },
        (view, value) =>
        {
            value[..size].CopyTo(view.Xsave.AsSpan(offset));
            view.ChangedComponents |= X87Component;
        });

    /// <summary>The tag word that FSTENV stores, of the one that FXSAVE does (SDM Vol. 1 8.1.7, table 10-3).</summary>
    private static uint FullTags(ReadOnlySpan<byte> area)
    {
        const uint Valid = 0, Zero = 1, Special = 2, Empty = 3;
        int top = (BinaryPrimitives.ReadUInt16LittleEndian(area[StatusWord..]) >> 11) & 7;
        uint tags = 0;
        for (int physical = 0; physical < 8; physical++)
        {
            uint tag = Empty;
            if ((area[Tags] & (1 << physical)) != 0)
            {
                ReadOnlySpan<byte> register = area.Slice(X87Registers + (16 * ((physical - top) & 7)), 10);
                ulong significand = BinaryPrimitives.ReadUInt64LittleEndian(register);
                int exponent = BinaryPrimitives.ReadUInt16LittleEndian(register[8..]) & 0x7FFF;
                tag = exponent == 0x7FFF ? Special
                    : exponent == 0 ? significand == 0 ? Zero : Special
                    : (significand >> 63) != 0 ? Valid : Special;
            }
            tags |= tag << (2 * physical);
        }
        return tags;
    }
}
