using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Hostile.Guests;

/// <summary>Short sequences that change what everything else rests on: control registers, MSRs, flags, tables, code.</summary>
public static class HostileSequences
{
    /// <summary>Writes one sequence.</summary>
    /// <returns>Its length, at most 64.</returns>
    public static int Make(Span<byte> bytes, int bitness, uint msr, Random random)
    {
        Assembler a = new(bitness);
        int kind = random.Next(16);
        sbyte bit = (sbyte)random.Next(32);
        switch (kind)
        {
            case 0 or 1:
                a.mov(ecx, msr);
                if (random.Next(2) == 0)
                    a.rdmsr();
                a.btc(random.Next(2) == 0 ? eax : edx, bit);
                a.wrmsr();
                break;
            case 2 or 3 or 4:
                AssemblerRegisterCR control = random.Next(4) switch { 0 => cr4, 1 => cr3, _ => cr0 };
                Control(a, bitness, control, control == cr0 && random.Next(2) == 0 ? (sbyte)31 : bit);
                break;
            case 5:
                Flags(a, bitness, (sbyte)(random.Next(2) == 0 ? 8 : random.Next(22)));
                break;
            case 6:
                Flip(a, bitness, HostileLayout.Gdt + (ulong)random.Next(0x80), (byte)(1 << random.Next(8)));
                a.mov(eax, random.Next(0x80));
                a.mov(random.Next(4) switch { 0 => ss, 1 => fs, 2 => es, _ => ds }, ax);
                break;
            case 7:
                Flip(a, bitness, (random.Next(2) == 0 ? HostileLayout.LongTables + 0x3000 : HostileLayout.Tables32 + 0x1000) + (ulong)random.Next(0x800), (byte)(1 << random.Next(8)));
                break;
            case 8:
                Flip(a, bitness, HostileLayout.Code + (ulong)random.Next(HostileLayout.CodeLength), (byte)random.Next(256));
                break;
            case 9:
                Flip(a, bitness, HostileLayout.Idt + (ulong)random.Next(0x200), (byte)(1 << random.Next(8)));
                break;
            case 10:
                a.mov(ecx, random.Next(0x3000));
                a.mov(edi, (uint)(random.Next(4) == 0 ? HostileLayout.Hole - 0x20 : HostileLayout.Data + (ulong)random.Next(0xF000)));
                a.mov(esi, (uint)(random.Next(4) == 0 ? HostileLayout.Hole - 0x20 : HostileLayout.Data + (ulong)random.Next(0xF000)));
                Repeat(a, random);
                break;
            case 11:
                DebugRegister(a, bitness, random);
                break;
            case 12:
                a.mov(eax, random.Next());
                a.mov(edx, random.Next());
                a.mov(ecx, msr);
                a.wrmsr();
                break;
            case 13:
                a.mov(eax, random.Next(4) switch { 0 => 7, 1 => 1, 2 => 0xD, _ => 0 });
                a.cpuid();
                break;
            case 14 when bitness != 16:
                a.mov(eax, (uint)0xFEE0_0000 + ((uint)random.Next(0x40) << 4));
                a.mov(ecx, random.Next(3) == 0 ? random.Next() : random.Next(0x8000));
                a.mov(bitness == 64 ? __dword_ptr[rax] : __dword_ptr[eax], ecx);
                break;
            default:
                a.@int((sbyte)random.Next(-128, 128));
                break;
        }
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), 0);
        stream.ToArray().CopyTo(bytes);
        return (int)stream.Length;
    }

    private static void Control(Assembler a, int bitness, AssemblerRegisterCR control, sbyte bit)
    {
        if (bitness == 64)
        {
            a.mov(rax, control);
            a.btc(rax, bit);
            a.mov(control, rax);
            return;
        }
        a.mov(eax, control);
        a.btc(eax, bit);
        a.mov(control, eax);
    }

    private static void Flags(Assembler a, int bitness, sbyte bit)
    {
        if (bitness == 64)
        {
            a.pushfq();
            a.btc(__dword_ptr[rsp], bit);
            a.popfq();
            return;
        }
        a.pushfd();
        a.pop(eax);
        a.btc(eax, bit);
        a.push(eax);
        a.popfd();
    }

    private static void Flip(Assembler a, int bitness, ulong address, byte mask)
    {
        if (bitness == 16)
        {
            a.mov(bx, (ushort)(address >> 4));
            a.mov(gs, bx);
            a.xor(__byte_ptr.gs[(ushort)(address & 15)], (sbyte)mask);
            return;
        }
        a.mov(ebx, (uint)address);
        a.xor(bitness == 64 ? __byte_ptr[rbx] : __byte_ptr[ebx], (sbyte)mask);
    }

    private static void Repeat(Assembler a, Random random)
    {
        Assembler repeated = random.Next(2) == 0 ? a.rep : a.repne;
        switch (random.Next(7))
        {
            case 0:
                repeated.movsb();
                break;
            case 1:
                repeated.movsd();
                break;
            case 2:
                repeated.stosd();
                break;
            case 3:
                repeated.scasw();
                break;
            case 4:
                repeated.cmpsb();
                break;
            case 5:
                repeated.insb();
                break;
            default:
                repeated.outsw();
                break;
        }
    }

    private static void DebugRegister(Assembler a, int bitness, Random random)
    {
        uint address = (uint)HostileLayout.Code + (uint)random.Next(HostileLayout.CodeLength);
        uint control = 0xFF | ((uint)random.Next(0x1_0000) << 16);
        if (bitness == 64)
        {
            a.mov(rax, (ulong)address);
            a.mov(random.Next(2) == 0 ? dr0 : dr2, rax);
            a.mov(rax, (ulong)control);
            a.mov(dr7, rax);
            return;
        }
        a.mov(eax, address);
        a.mov(random.Next(2) == 0 ? dr0 : dr2, eax);
        a.mov(eax, control);
        a.mov(dr7, eax);
    }
}
