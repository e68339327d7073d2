using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>A memory operand as the unit records it (offset and selector) and as memory is reached (linear address).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal readonly unsafe struct X87Memory
{
    private X87Memory(ulong offset, ulong linear, ushort selector)
    {
        Offset = offset;
        Linear = linear;
        Selector = selector;
    }

    public ulong Offset { get; }

    public ulong Linear { get; }

    public ushort Selector { get; }

    /// <summary>Computes and checks the address. False: stop.</summary>
    public static bool Resolve(ProcessorCore cpu, VcpuState* s, Instruction* i, int size, bool write, out X87Memory memory)
    {
        ulong offset = Operands.EffectiveAddress(s, i);
        int segment = Operands.Segment(i->MemorySegment);
        bool allowed = cpu.Linear(segment, offset, size, write, out ulong linear);
        memory = new X87Memory(offset, linear, s->Segments[segment].Selector);
        return allowed;
    }

    /// <summary>Checks that the unit is ready, resolves the operand and loads it. False: stop.</summary>
    public static bool Read<T>(ProcessorCore cpu, VcpuState* s, Instruction* i, out X87Memory memory, out T value)
        where T : unmanaged
    {
        memory = default;
        value = default;
        return X87Unit.Ready(cpu, s) && Resolve(cpu, s, i, sizeof(T), false, out memory) && cpu.Read(memory.Linear, out value);
    }
}
