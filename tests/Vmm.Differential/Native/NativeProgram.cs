using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Differential.Native;

/// <summary>
/// The program that runs cases on the host's processor: a static ELF image without any library. It maps the batch file named by its
/// argument, says ready on standard output, and for every byte on standard input runs the batch of that number. A case is entered by
/// loading
/// its whole state and jumping to its code; it always ends in a signal, whose frame is the answer.
/// </summary>
internal static class NativeProgram
{
    private const int HeaderLength = 0x1000, DataOffset = 0x4000, Length = 0x20000;
    private const ulong Data = CaseLayout.ImageAddress + DataOffset;

    // Variables of the program.
    private const ulong Current = Data, Remaining = Data + 16, Byte = Data + 24, AlternateStack = Data + 64,
        Action = Data + 128, Limit = Data + 192;

    private const ulong SignalStackBase = CaseLayout.ImageAddress + 0x8000, StackTop = CaseLayout.ImageAddress + 0x7F00;
    private const int SignalStackLength = Length - 0x8000;

    // Linux system calls and their constants (x86-64).
    private const int Read = 0, Write = 1, Open = 2, MapMemory = 9, Protect = 10, SignalAction = 13, Exit = 60, Truncate = 77,
        AlternateSignalStack = 131, SetLimit = 160, MemoryFile = 319;

    private const int Shared = 1, Private = 2, Fixed = 0x10, Anonymous = 0x20;
    private const int HandlerFlags = 0x4C00_0004; // SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER

    /// <summary>The whole file.</summary>
    public static byte[] Build()
    {
        // The jump's target is read with alignment checks on: it lies on a multiple of eight.
        Assemble(0, out int offset);
        return ElfImage.Build(CaseLayout.ImageAddress, HeaderLength, Assemble(-offset & 7, out _), Length);
    }

    private static byte[] Assemble(int padding, out int offset)
    {
        Assembler a = new(64);
        Label handler = a.CreateLabel(), fail = a.CreateLabel(), wait = a.CreateLabel(), next = a.CreateLabel(), run = a.CreateLabel(),
            target = a.CreateLabel();
        MapFiles(a, fail);
        MapCaseMemory(a, fail);
        TakeSignals(a, handler, fail);
        Serve(a, wait, next, run, fail);
        Enter(a, run, target);
        Answer(a, handler, next);
        a.Label(ref fail);
        a.mov(edi, 1);
        Call(a, Exit);
        a.db(new byte[4096 + padding]); // what is written stays away from what is executed
        a.Label(ref target);
        a.dq(0);
        using MemoryStream code = new();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(code), CaseLayout.ImageAddress + HeaderLength,
            BlockEncoderOptions.ReturnNewInstructionOffsets);
        offset = (int)(result.GetLabelRIP(target) - CaseLayout.ImageAddress);
        return code.ToArray();
    }

    private static void Call(Assembler a, int number)
    {
        a.mov(eax, number);
        a.syscall();
    }

    private static void Map(Assembler a, ulong address, int length, int protection, int flags, Label fail)
    {
        a.mov(rdi, address);
        a.mov(esi, length);
        a.mov(edx, protection);
        a.mov(r10d, flags | Fixed);
        a.xor(r9d, r9d);
        Call(a, MapMemory);
        a.test(rax, rax);
        a.js(fail);
    }

    private static void MapFiles(Assembler a, Label fail)
    {
        a.mov(rdi, __[rsp + 16]);
        a.mov(esi, 2);
        Call(a, Open);
        a.test(rax, rax);
        a.js(fail);
        a.mov(r8, rax);
        Map(a, CaseLayout.BatchAddress, CaseLayout.FileLength, 3, Shared, fail);
        // The code of a case is executable at its address and writable elsewhere: a case that writes to it faults.
        a.mov(rdi, Byte);
        a.xor(esi, esi);
        Call(a, MemoryFile);
        a.test(rax, rax);
        a.js(fail);
        a.mov(r8, rax);
        a.mov(rdi, rax);
        a.mov(esi, CaseLayout.CodeLength);
        Call(a, Truncate);
        Map(a, CaseLayout.CodeAddress, CaseLayout.CodeLength, 5, Shared, fail);
        Map(a, CaseLayout.WritableCodeAddress, CaseLayout.CodeLength, 3, Shared, fail);
        a.mov(rdi, CaseLayout.WritableCodeAddress);
        a.mov(ecx, CaseLayout.CodeLength);
        a.mov(al, CaseLayout.Filler);
        a.rep.stosb();
    }

    private static void MapCaseMemory(Assembler a, Label fail)
    {
        a.mov(r8, -1);
        Map(a, CaseLayout.DataAddress, CaseLayout.DataLength, 3, Private | Anonymous, fail);
        Map(a, CaseLayout.ReadOnlyAddress, CaseLayout.ReadOnlyLength, 3, Private | Anonymous, fail);
        a.mov(rsi, CaseLayout.BatchAddress + CaseLayout.ReadOnlyOffset);
        a.mov(edi, (int)CaseLayout.ReadOnlyAddress);
        a.mov(ecx, CaseLayout.ReadOnlyLength);
        a.rep.movsb();
        a.mov(edi, (int)CaseLayout.ReadOnlyAddress);
        a.mov(esi, CaseLayout.ReadOnlyLength);
        a.mov(edx, 1);
        Call(a, Protect);
        // Should the parent vanish while a case hangs: an hour of processor time at most.
        a.mov(rsi, Limit);
        a.mov(__qword_ptr[rsi], 3600);
        a.mov(__qword_ptr[rsi + 8], 3600);
        a.xor(edi, edi);
        Call(a, SetLimit);
    }

    private static void TakeSignals(Assembler a, Label handler, Label fail)
    {
        a.mov(rdi, AlternateStack);
        a.mov(rax, SignalStackBase);
        a.mov(__qword_ptr[rdi], rax);
        a.mov(__qword_ptr[rdi + 8], 0);
        a.mov(__qword_ptr[rdi + 16], SignalStackLength);
        a.xor(esi, esi);
        Call(a, AlternateSignalStack);
        a.test(rax, rax);
        a.js(fail);
        a.mov(rsi, Action);
        a.lea(rax, __[handler]);
        a.mov(__qword_ptr[rsi], rax);
        a.mov(__qword_ptr[rsi + 8], HandlerFlags);
        a.mov(__qword_ptr[rsi + 16], rax); // never returned to
        a.mov(__qword_ptr[rsi + 24], 0);
        foreach (int signal in (ReadOnlySpan<int>)[4, 5, 7, 8, 11]) // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV
        {
            a.mov(edi, signal);
            a.mov(rsi, Action);
            a.xor(edx, edx);
            a.mov(r10d, 8);
            Call(a, SignalAction);
            a.test(rax, rax);
            a.js(fail);
        }
    }

    private static void Serve(Assembler a, Label wait, Label next, Label run, Label fail)
    {
        Label ready = a.CreateLabel();
        a.Label(ref ready);
        a.mov(edi, 1);
        a.mov(rsi, Byte);
        a.mov(edx, 1);
        Call(a, Write);
        a.Label(ref wait);
        a.xor(edi, edi);
        a.mov(rsi, Byte);
        a.mov(edx, 1);
        Call(a, Read);
        a.cmp(rax, 1);
        a.jne(fail);
        a.mov(rsi, Byte);
        a.movzx(eax, __byte_ptr[rsi]);
        a.imul(rax, rax, CaseLayout.BatchLength);
        a.mov(rbp, CaseLayout.BatchAddress);
        // A batch may begin in its middle, after a case that hung.
        a.imul(rcx, __qword_ptr[rbp + CaseLayout.ControlIndexOffset], CaseLayout.RecordLength);
        a.lea(rbx, __[rbp + rax + CaseLayout.BatchesOffset]);
        a.add(rbx, rcx);
        a.mov(rax, Current);
        a.mov(__qword_ptr[rax], rbx);
        a.mov(rcx, __qword_ptr[rbp + CaseLayout.ControlCountOffset]);
        a.sub(rcx, __qword_ptr[rbp + CaseLayout.ControlIndexOffset]);
        a.mov(rax, Remaining);
        a.mov(__qword_ptr[rax], rcx);
        a.jmp(run);
        a.Label(ref next);
        a.mov(rbp, CaseLayout.BatchAddress);
        a.inc(__qword_ptr[rbp + CaseLayout.ControlIndexOffset]);
        a.mov(rax, Current);
        a.add(__qword_ptr[rax], CaseLayout.RecordLength);
        a.mov(rbx, __qword_ptr[rax]);
        a.mov(rax, Remaining);
        a.dec(__qword_ptr[rax]);
        a.jz(ready);
        a.jmp(run);
    }

    private static void Enter(Assembler a, Label run, Label target)
    {
        a.Label(ref run);
        a.mov(rsp, StackTop);
        a.lea(rsi, __[rbx + CaseLayout.CodeBytesOffset]);
        a.mov(rdi, CaseLayout.WritableCodeAddress);
        a.mov(eax, __dword_ptr[rbx + CaseLayout.CodePositionOffset]);
        a.add(rdi, rax);
        a.mov(ecx, __dword_ptr[rbx + CaseLayout.CodeCountOffset]);
        a.rep.movsb();
        a.lea(rsi, __[rbx + CaseLayout.DataOffset]);
        a.mov(edi, (int)CaseLayout.DataAddress);
        a.mov(ecx, CaseLayout.DataLength / 8);
        a.rep.movsq();
        a.mov(rax, __qword_ptr[rbx + CaseLayout.RipOffset]);
        a.lea(rcx, __[target]);
        a.mov(__qword_ptr[rcx], rax); // a far pointer: four bytes of offset, two of selector
        Label wide = a.CreateLabel(), narrow = a.CreateLabel();
        a.xor(edx, edx);
        a.cmp(__dword_ptr[rbx + CaseLayout.BitsOffset], 32);
        a.jne(wide);
        a.mov(__word_ptr[rcx + 4], CaseLayout.CodeSelector32);
        a.mov(edx, CaseLayout.DataSelector);
        a.Label(ref wide);
        a.mov(ds, edx);
        a.mov(es, edx);
        a.mov(eax, 7);
        a.xor(edx, edx);
        a.xrstor64(__[rbx + CaseLayout.VectorsOffset]);
        a.cmp(__dword_ptr[rbx + CaseLayout.BitsOffset], 32);
        a.je(narrow);
        LoadGeneral(a);
        a.jmp(__qword_ptr[target]);
        a.Label(ref narrow);
        LoadGeneral(a);
        a.jmp(__fword_ptr[target]);
    }

    private static void LoadGeneral(Assembler a)
    {
        a.push(__qword_ptr[rbx + CaseLayout.FlagsOffset]);
        a.popfq();
        AssemblerRegister64[] registers = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];
        for (int i = 0; i < registers.Length; i++)
        {
            if (i != 3)
                a.mov(registers[i], __qword_ptr[rbx + (8 * i)]);
        }

        a.mov(rbx, __qword_ptr[rbx + 24]);
    }

    // RDI: signal, RDX: ucontext. Its general registers begin at 40, and behind the 23 of them is the address of the XSAVE area.
    private static void Answer(Assembler a, Label handler, Label next)
    {
        a.Label(ref handler);
        a.push(2);
        a.popfq();
        a.mov(rax, Current);
        a.mov(rbx, __qword_ptr[rax]);
        a.mov(r12, rdx);
        a.mov(__qword_ptr[rbx + CaseLayout.AnswerSignalOffset], rdi);
        a.lea(rsi, __[r12 + 40]);
        a.lea(rdi, __[rbx + CaseLayout.AnswerOffset]);
        a.mov(ecx, CaseLayout.AnswerCount);
        a.rep.movsq();
        a.mov(rsi, __qword_ptr[r12 + 40 + (8 * CaseLayout.AnswerCount)]);
        a.lea(rdi, __[rbx + CaseLayout.AnswerVectorsOffset]);
        a.mov(ecx, CaseLayout.XsaveLength / 8);
        a.rep.movsq();
        a.mov(esi, (int)CaseLayout.DataAddress);
        a.lea(rdi, __[rbx + CaseLayout.AnswerDataOffset]);
        a.mov(ecx, CaseLayout.DataLength / 8);
        a.rep.movsq();
        a.mov(rdi, CaseLayout.WritableCodeAddress);
        a.mov(eax, __dword_ptr[rbx + CaseLayout.CodePositionOffset]);
        a.add(rdi, rax);
        a.mov(ecx, __dword_ptr[rbx + CaseLayout.CodeCountOffset]);
        a.mov(al, CaseLayout.Filler);
        a.rep.stosb();
        a.jmp(next);
    }
}
