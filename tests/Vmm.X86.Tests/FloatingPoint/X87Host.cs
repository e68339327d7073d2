using System.Buffers.Binary;
using Iced.Intel;
using Vmm.X86.FloatingPoint;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>One x87 instruction on the host's own unit, with ST0 and ST1 given.</summary>
internal sealed class X87Host(Action<Assembler> instruction) : IDisposable
{
    private readonly NativeInstruction _instruction = new(instruction);

    public NativeState State { get; } = new();

    public Float80 Stack(int i) => new(State.StackSignificand(i), State.StackSignExponent(i));

    /// <summary>Executes with two registers in use and TOP 4; the status word has no flag set before.</summary>
    public void Run(ushort controlWord, Float80 st0, Float80 st1)
    {
        State.ControlWord = controlWord;
        State.StatusWord = 4 << 11;
        State.AbridgedTags = 0x30;
        st0.Write(State.Stack(0));
        st1.Write(State.Stack(1));
        State.General[7] = (ulong)State.ScratchAddress;
        _instruction.Run(State);
    }

    /// <summary>The status word without TOP, after the instruction.</summary>
    public ushort Status => (ushort)(State.StatusWord & ~0x3800);

    public ulong ScratchWord => BinaryPrimitives.ReadUInt64LittleEndian(State.Scratch);

    public void Dispose()
    {
        _instruction.Dispose();
        State.Dispose();
    }
}
