using System.Buffers.Binary;
using Iced.Intel;
using Vmm.Machines;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Portability.Tests;

/// <summary>
/// A 64-bit guest at privilege level 3 that never stops: each step of its chain changes general registers, flags, XMM registers, the x87
/// stack and memory, each from the others. After a round of steps it writes all registers to memory and tells of it through a port.
/// <see cref="ChainModel"/> says what must be there.
/// </summary>
internal sealed record ChainGuest : BootImage
{
    /// <summary>The port that is written after each round.</summary>
    public const byte Port = 0xE8;

    /// <summary>Steps of a round.</summary>
    public const int StepsPerRound = 15_000;

    /// <summary>Where a round's registers are: general ones in their order, CS, x87, then XMM.</summary>
    public const ulong Dump = 0x1_4000;

    /// <summary>Bytes at <see cref="Dump"/>.</summary>
    public const int DumpSize = (18 * 8) + (16 * 16);

    /// <summary>The table that the chain changes: quadwords.</summary>
    public const ulong Table = 0x2_0000;

    /// <summary>Quadwords of the table.</summary>
    public const int TableLength = 4096;

    /// <summary>Top of the stack.</summary>
    public const ulong Stack = 0x1_2000;

    /// <summary>RIP while the chain goes on is in this range.</summary>
    public const ulong Code = 0x8000;

    /// <summary>Selector of its code segment.</summary>
    public const ushort CodeSelector = 0x33;

    private const ulong Gdt = 0x1000, Task = 0x3000, Tables = 0x4000, Constants = 0x1_3000;
    private const ushort DataSelector = 0x2B, TaskSelector = 0x38;
    private const ulong Present = 1, Writable = 2, User = 4, Large = 0x80;

    private static readonly AssemblerRegister64[] s_general = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];

    private static readonly AssemblerRegisterXMM[] s_vectors =
        [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];

    private static readonly (byte[] Bytes, ulong End) s_code = Assemble();

    public override EntryState Load(IBootMemory memory)
    {
        Words(memory, Gdt, [0, 0, 0, 0, 0, 0x00CF_F300_0000_FFFF, 0x00AF_FB00_0000_FFFF, 0x0000_8B00_3000_0067, 0]);
        Words(memory, Tables, [Tables + 0x1000 | Present | Writable | User]);
        Words(memory, Tables + 0x1000, [Tables + 0x2000 | Present | Writable | User]);
        Words(memory, Tables + 0x2000, [Present | Writable | User | Large]);
        Words(memory, Constants, [.. ChainModel.InitialVectors.SelectMany(vector => (ulong[])[vector.Low, vector.High]), .. ChainModel.InitialGeneral]);
        memory.Write(Code, s_code.Bytes);
        return new()
        {
            Rip = Code,
            Rsp = Stack,
            Rflags = 0x3002, // I/O at privilege level 3 is allowed
            Cr0 = 0x8000_0033,
            Cr3 = Tables,
            Cr4 = 0x620, // PAE, and SSE with its exceptions
            Efer = 0x500,
            Code = new(CodeSelector, 0, uint.MaxValue, 0xA0FB),
            Data = new(DataSelector, 0, uint.MaxValue, 0xC0F3),
            Task = new(TaskSelector, Task, 0x67, 0x8B),
            GdtBase = Gdt,
            GdtLimit = 9 * 8 - 1,
        };
    }

    /// <summary>Whether RIP is where the guest waits for the host, rather than within its chain.</summary>
    public static bool IsBetweenRounds(ulong rip) => rip - Code >= s_code.End;

    private static (byte[] Bytes, ulong End) Assemble()
    {
        Assembler a = new(64);
        a.fninit();
        a.fldz();
        for (int i = 0; i < s_vectors.Length; i++)
            a.movdqa(s_vectors[i], __xmmword_ptr[Constants + (ulong)(16 * i)]);
        for (int i = 0; i < s_general.Length; i++)
        {
            if (s_general[i] != rsp)
                a.mov(s_general[i], __qword_ptr[Constants + (ulong)(256 + (8 * i))]);
        }
        a.add(r15, r15); // no carry
        Label round = a.CreateLabel("round"), step = a.CreateLabel("step");
        a.Label(ref round);
        a.mov(r15d, StepsPerRound);
        a.Label(ref step);
        Step(a);
        a.dec(r15);
        a.jne(step);
        for (int i = 0; i < s_general.Length; i++)
            a.mov(__qword_ptr[Dump + (ulong)(8 * i)], s_general[i]);
        a.mov(__word_ptr[Dump + 128], cs);
        a.fld(st0);
        a.fistp(__qword_ptr[Dump + 136]);
        for (int i = 0; i < s_vectors.Length; i++)
            a.movdqa(__xmmword_ptr[Dump + (ulong)(144 + (16 * i))], s_vectors[i]);
        a.@out(Port, al);
        Label again = a.CreateLabel("again");
        a.Label(ref again);
        a.jmp(round);
        using MemoryStream code = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(code), Code, BlockEncoderOptions.ReturnNewInstructionOffsets);
        return (code.ToArray(), result.GetLabelRIP(again) - Code);
    }

    // ChainModel.Step says the same in C#.
    private static void Step(Assembler a)
    {
        a.adc(rbx, r10); // the carry of the step before: flags live everywhere
        a.imul(rax, r8);
        a.add(rax, r9);
        a.xor(rdx, rbx);
        a.rol(rdx, 17);
        a.sub(rsi, rdx);
        a.sbb(rdi, rax);
        a.mov(rcx, rax);
        a.shr(rcx, 52);
        a.xor(__qword_ptr[rcx * 8 + (int)Table], rdi);
        a.add(rbp, __qword_ptr[rcx * 8 + (int)Table]);
        a.push(rbp);
        a.pop(r11);
        a.rol(r11, 7);
        a.add(r12, r11);
        a.bswap(r13);
        a.xor(r13, r12);
        a.lea(r14, __[r14 + r14 * 4 + 1]);
        a.movq(xmm2, rax);
        a.paddq(xmm0, xmm2);
        a.pshufd(xmm3, xmm0, 0x4E);
        a.pxor(xmm1, xmm3);
        a.and(ecx, -2);
        a.movdqa(__xmmword_ptr[rcx * 8 + (int)Table], xmm1);
        a.movapd(xmm5, xmm6);
        a.subpd(xmm5, xmm4);
        a.mulpd(xmm4, xmm5);
        a.mulpd(xmm4, xmm7);
        for (int i = 8; i < 16; i++)
            a.paddd(s_vectors[i], s_vectors[i == 15 ? 8 : i + 1]);
        a.pxor(xmm15, xmm1);
        a.fld1();
        a.faddp(st1, st0);
        a.add(rbp, r14);
    }

    private static void Words(IBootMemory memory, ulong address, ulong[] words)
    {
        byte[] bytes = new byte[8 * words.Length];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), words[i]);
        memory.Write(address, bytes);
    }
}
