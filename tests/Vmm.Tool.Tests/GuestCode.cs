using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Tool.Tests;

/// <summary>Tiny guests in real mode, entered at 0x1000.</summary>
internal static class GuestCode
{
    public const ushort Address = 0x1000, SerialPort = 0x3F8, DebugExitPort = 0xF4;

    public static byte[] Assemble(Action<Assembler> body)
    {
        Assembler assembler = new(16);
        body(assembler);
        using MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), Address);
        return code.ToArray();
    }

    public static void Out(this Assembler assembler, ushort port, byte value)
    {
        assembler.mov(dx, (short)port);
        assembler.mov(al, unchecked((sbyte)value));
        assembler.@out(dx, al);
    }

    public static void Print(this Assembler assembler, string text)
    {
        foreach (char character in text)
            assembler.Out(SerialPort, (byte)character);
    }

    /// <summary>Sends back what is received, a byte later in the alphabet, until a full stop.</summary>
    public static void Echo(this Assembler assembler)
    {
        Label wait = assembler.CreateLabel(), done = assembler.CreateLabel();
        assembler.Label(ref wait);
        assembler.mov(dx, SerialPort + 5);
        assembler.@in(al, dx);
        assembler.test(al, 1);
        assembler.jz(wait);
        assembler.mov(dx, SerialPort);
        assembler.@in(al, dx);
        assembler.cmp(al, (sbyte)'.');
        assembler.je(done);
        assembler.inc(al);
        assembler.@out(dx, al);
        assembler.jmp(wait);
        assembler.Label(ref done);
        assembler.Out(0x64, 0xFE);
    }
}
