using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.NativeOracle;

using Register = Iced.Intel.Register;

/// <summary>
/// One or a few instructions as a native function over a <see cref="NativeState"/>: loads the state, executes, stores the state. The
/// instructions must fall through at their end with RSP as it was, must not fault, and must not set TF; the host's own x87 and SSE state is
/// preserved around them. Unmasked x87 exceptions are harmless as long as no waiting instruction follows the one that raises them.
/// </summary>
internal sealed unsafe class NativeInstruction : IDisposable
{
    private readonly ExecutableMemory _memory;

    /// <summary>Wraps instructions written with the assembler.</summary>
    /// <param name="instruction">Writes them.</param>
    /// <param name="vectors">Loads and stores whole YMM registers too (the XMM registers of the FXSAVE image are then not used).</param>
    public NativeInstruction(Action<Assembler> instruction, bool vectors = false)
    {
        Assembler a = new(64);
        _memory = new ExecutableMemory(4096);
        Prologue(a, vectors);
        Label body = a.CreateLabel();
        a.Label(ref body);
        instruction(a);
        Epilogue(a, vectors);
        using MemoryStream stream = new();
        StreamCodeWriter writer = new(stream);
        AssemblerResult result = a.Assemble(writer, (ulong)_memory.Address, BlockEncoderOptions.ReturnNewInstructionOffsets);
        InstructionAddress = result.GetLabelRIP(body);
        stream.ToArray().CopyTo(_memory.Bytes);
    }

    /// <summary>Wraps raw bytes.</summary>
    public NativeInstruction(byte[] bytes)
        : this(a => a.db(bytes))
    {
    }

    /// <summary>Where the instruction itself lies: what FIP should say.</summary>
    public ulong InstructionAddress { get; }

    // SAFETY: the code was assembled by the constructor and touches only the block, its own stack and what the instruction addresses.
    public void Run(NativeState state) => ((delegate* unmanaged<nint, void>)_memory.Address)(state.Address);

    public void Dispose() => _memory.Dispose();

    private static readonly AssemblerRegister64[] s_registers =
    [
        rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15,
    ];

    private static readonly AssemblerRegister64[] s_preserved = [rbx, rbp, r12, r13, r14, r15, rdi, rsi];

    private static void Prologue(Assembler a, bool vectors)
    {
        foreach (AssemblerRegister64 register in s_preserved)
            a.push(register);
        if (OperatingSystem.IsWindows())
            a.mov(rdi, rcx);
        a.push(rdi);
        a.fxsave64(__[rdi + NativeState.HostFxsaveOffset]);
        a.fxrstor64(__[rdi + NativeState.FxsaveOffset]);
        for (int i = 0; vectors && i < 16; i++)
            a.vmovups(new AssemblerRegisterYMM(Register.YMM0 + i), __[rdi + NativeState.VectorOffset + (32 * i)]);
        a.push(__qword_ptr[rdi + NativeState.FlagsOffset]);
        a.popfq();
        for (int i = 0; i < 16; i++)
        {
            if (i is not (4 or 7))
                a.mov(s_registers[i], __qword_ptr[rdi + (8 * i)]);
        }

        a.mov(rdi, __qword_ptr[rdi + 56]);
    }

    private static void Epilogue(Assembler a, bool vectors)
    {
        a.xchg(__qword_ptr[rsp], rax);
        for (int i = 1; i < 16; i++)
            a.mov(__qword_ptr[rax + (8 * i)], s_registers[i]);
        a.pop(rcx);
        a.mov(__qword_ptr[rax], rcx);
        a.pushfq();
        a.pop(rcx);
        a.mov(__qword_ptr[rax + NativeState.FlagsOffset], rcx);
        a.cld();
        a.fxsave64(__[rax + NativeState.FxsaveOffset]);
        a.fnstenv(__[rax + NativeState.EnvironmentOffset]);
        for (int i = 0; vectors && i < 16; i++)
            a.vmovups(__[rax + NativeState.VectorOffset + (32 * i)], new AssemblerRegisterYMM(Register.YMM0 + i));
        if (vectors)
            a.vzeroupper();
        a.fxrstor64(__[rax + NativeState.HostFxsaveOffset]);
        for (int i = s_preserved.Length - 1; i >= 0; i--)
            a.pop(s_preserved[i]);
        a.ret();
    }
}
