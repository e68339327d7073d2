using Iced.Intel;

namespace Vmm.Machines.Tests;

/// <summary>ROMs assembled here: 16-bit code at the start of the last 64 KiB, and a far jump to it at the reset vector.</summary>
internal static class RomImage
{
    public static byte[] Build(int size, Action<Assembler> body)
    {
        Assembler assembler = new(16);
        body(assembler);
        using MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), 0);
        byte[] rom = new byte[size];
        for (int offset = 0; offset < size; offset += 4096)
            rom[offset + 0x800] = (byte)(offset >> 12);
        code.ToArray().CopyTo(rom, size - 0x1_0000);
        ReadOnlySpan<byte> jump = [0xEA, 0x00, 0x00, 0x00, 0xF0];
        jump.CopyTo(rom.AsSpan(size - 16));
        return rom;
    }
}
