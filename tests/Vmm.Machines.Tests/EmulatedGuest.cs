using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Small 32-bit guests in multiboot images, assembled here.</summary>
internal static class EmulatedGuest
{
    private const uint LoadAddress = 0x10_0000;
    private const uint IdtAddress = 0x20_0000;

    /// <summary>
    /// An image whose code begins with a stack at 0x90000 and, if asked for, interrupt controllers at vectors 0x20 and 0x28 with all
    /// inputs masked.
    /// </summary>
    public static byte[] Build(Action<Assembler> body)
    {
        Assembler assembler = new(32);
        assembler.mov(esp, 0x9_0000);
        body(assembler);
        MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), LoadAddress + 32);
        byte[] image = [.. Images.Multiboot(0, 32, LoadAddress, entry: LoadAddress + 32), .. code.ToArray()];
        return image;
    }

    public static void Out(this Assembler assembler, int port, int value)
    {
        assembler.mov(dx, (short)port);
        assembler.mov(al, unchecked((sbyte)value));
        assembler.@out(dx, al);
    }

    public static void InitializeInterruptControllers(this Assembler assembler, int masterMask, int slaveMask)
    {
        (int, int)[] words =
        [
            (0x20, 0x11), (0x21, 0x20), (0x21, 0x04), (0x21, 0x01),
            (0xA0, 0x11), (0xA1, 0x28), (0xA1, 0x02), (0xA1, 0x01), (0x21, masterMask), (0xA1, slaveMask),
        ];
        foreach ((int port, int value) in words)
            assembler.Out(port, value);
    }

    /// <summary>Puts a handler here, jumps over it, and makes an interrupt gate for it in a table at 2 MiB.</summary>
    public static void SetHandler(this Assembler assembler, int vector, Action handler)
    {
        uint gate = IdtAddress + (uint)vector * 8;
        Label after = assembler.CreateLabel();
        assembler.call(after);
        handler();
        assembler.Label(ref after);
        assembler.pop(eax);
        assembler.mov(edx, eax);
        assembler.and(eax, 0xFFFF);
        assembler.or(eax, 0x0010_0000);
        assembler.mov(__dword_ptr[gate], eax);
        assembler.and(edx, unchecked((int)0xFFFF_0000));
        assembler.or(edx, 0x8E00);
        assembler.mov(__dword_ptr[gate + 4], edx);
        assembler.mov(__word_ptr[IdtAddress + 0x1000], 0x7FF);
        assembler.mov(__dword_ptr[IdtAddress + 0x1002], IdtAddress);
        assembler.lidt(__[IdtAddress + 0x1000]);
    }
}
