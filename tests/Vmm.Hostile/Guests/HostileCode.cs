using Iced.Intel;

namespace Vmm.Hostile.Guests;

/// <summary>Code of hostile guests: random bytes, or valid instructions of every encoding mixed with sequences that shake the
/// machine.</summary>
public static class HostileCode
{
    private static readonly Mnemonic[] s_system =
    [
        Mnemonic.Rdmsr, Mnemonic.Wrmsr, Mnemonic.Cpuid, Mnemonic.Hlt, Mnemonic.Invlpg, Mnemonic.Lgdt, Mnemonic.Lidt, Mnemonic.Sgdt,
        Mnemonic.Sidt, Mnemonic.Lldt, Mnemonic.Ltr, Mnemonic.Sldt, Mnemonic.Str, Mnemonic.Smsw, Mnemonic.Lmsw, Mnemonic.Clts,
        Mnemonic.Iret, Mnemonic.Iretd, Mnemonic.Iretq, Mnemonic.Int, Mnemonic.Int3, Mnemonic.Into, Mnemonic.Int1, Mnemonic.Syscall,
        Mnemonic.Sysret, Mnemonic.Sysexit, Mnemonic.Sysenter, Mnemonic.In, Mnemonic.Out, Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd,
        Mnemonic.Outsb, Mnemonic.Outsw, Mnemonic.Outsd, Mnemonic.Cli, Mnemonic.Sti, Mnemonic.Swapgs, Mnemonic.Xsetbv, Mnemonic.Xgetbv,
        Mnemonic.Xsave, Mnemonic.Xrstor, Mnemonic.Fxsave, Mnemonic.Fxrstor, Mnemonic.Vmcall, Mnemonic.Vmmcall, Mnemonic.Wbinvd,
        Mnemonic.Rdtsc, Mnemonic.Rdtscp, Mnemonic.Rdpmc, Mnemonic.Invpcid, Mnemonic.Lar, Mnemonic.Lsl, Mnemonic.Verr, Mnemonic.Verw,
        Mnemonic.Arpl, Mnemonic.Popf, Mnemonic.Popfd, Mnemonic.Popfq, Mnemonic.Pushf, Mnemonic.Lds, Mnemonic.Les, Mnemonic.Lss,
        Mnemonic.Lfs, Mnemonic.Lgs, Mnemonic.Retf, Mnemonic.Mov, Mnemonic.Pop, Mnemonic.Enter, Mnemonic.Leave, Mnemonic.Bound,
        Mnemonic.Cmpxchg16b, Mnemonic.Cmpxchg8b, Mnemonic.Clac, Mnemonic.Stac, Mnemonic.Wrfsbase, Mnemonic.Rdfsbase, Mnemonic.Monitor,
        Mnemonic.Mwait, Mnemonic.Rsm, Mnemonic.Ud2, Mnemonic.Fldenv, Mnemonic.Frstor, Mnemonic.Fnsave,
    ];

    private static readonly Code[][] s_all = [Select(16, _ => true), Select(32, _ => true), Select(64, _ => true)];
    private static readonly Code[][] s_base = [Select(16, IsInteger), Select(32, IsInteger), Select(64, IsInteger)];
    private static readonly Code[][] s_privileged = [Select(16, IsSystem), Select(32, IsSystem), Select(64, IsSystem)];

    private static readonly uint[] s_msrs =
    [
        0x10, 0x1B, 0x6E0, 0x174, 0x175, 0x176, 0x277, 0x2FF, 0x200, 0x3A, 0xFE, 0x1A0, 0x8B, 0x808, 0x80B, 0x80F, 0x830, 0x832, 0x838,
        0x83E, 0x83F, 0x802,
        0xC000_0080, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0100, 0xC000_0101, 0xC000_0102, 0xC000_0103, 0xDA0, 0x40,
    ];

    /// <summary>Fills a stretch of memory with code.</summary>
    public static void Fill(Span<byte> memory, int bitness, Random random)
    {
        int style = random.Next(6);
        if (style == 0)
        {
            random.NextBytes(memory);
            return;
        }
        Span<byte> bytes = stackalloc byte[64];
        int at = 0;
        while (at < memory.Length)
        {
            int length = random.Next(12) == 0
                ? HostileSequences.Make(bytes, bitness, s_msrs[random.Next(s_msrs.Length)], random)
                : Make(bytes, bitness, style, random);
            length = Math.Min(length, memory.Length - at);
            bytes[..length].CopyTo(memory[at..]);
            at += length;
        }
    }

    private static int Make(Span<byte> bytes, int bitness, int style, Random random)
    {
        int mode = bitness / 32;
        int mix = random.Next(10);
        Code[] codes = style == 1 || mix == 0 ? s_all[mode] : mix < 3 ? s_privileged[mode] : s_base[mode];
        byte[] buffer = new byte[24];
        for (int attempt = 0; attempt < 20; attempt++)
        {
            Code code = codes[random.Next(codes.Length)];
            OpCodeInfo info = code.ToOpCode();
            int length = info.Encoding == EncodingKind.VEX ? EncodeVex(buffer, info, random) : Encode(buffer, info, bitness, random);
            Decoder decoder = Decoder.Create(bitness, buffer);
            decoder.Decode(out Instruction instruction);
            if (!instruction.IsInvalid && instruction.Code.Mnemonic() == code.Mnemonic() && length > 0)
            {
                buffer.AsSpan(0, instruction.Length).CopyTo(bytes);
                return instruction.Length;
            }
        }
        bytes[0] = 0x90;
        return 1;
    }

    // Prefixes and opcode of the encoding, then operands as they come: the decoder says whether that is the instruction.
    private static int Encode(byte[] buffer, OpCodeInfo info, int bitness, Random random)
    {
        random.NextBytes(buffer);
        int n = 0;
        if (info.OperandSize != 0 && info.OperandSize != (bitness == 16 ? 16 : 32) && info.OperandSize != 64)
            buffer[n++] = 0x66;
        if (info.AddressSize != 0 && info.AddressSize != bitness)
            buffer[n++] = 0x67;
        if (info.MandatoryPrefix is MandatoryPrefix.P66 or MandatoryPrefix.PF3 or MandatoryPrefix.PF2)
            buffer[n++] = info.MandatoryPrefix switch { MandatoryPrefix.P66 => 0x66, MandatoryPrefix.PF3 => 0xF3, _ => 0xF2 };
        else if (random.Next(10) == 0)
            buffer[n++] = ((ReadOnlySpan<byte>)[0xF0, 0xF2, 0xF3, 0x64, 0x65, 0x67, 0x2E, 0x66])[random.Next(8)];
        if (bitness == 64 && (info.OperandSize == 64 || random.Next(4) == 0))
            buffer[n++] = (byte)(0x40 | random.Next(8) | (info.OperandSize == 64 || random.Next(3) == 0 ? 8 : 0));
        if (info.Table != OpCodeTableKind.Normal)
            buffer[n++] = 0x0F;
        if (info.Table is OpCodeTableKind.T0F38 or OpCodeTableKind.T0F3A)
            buffer[n++] = info.Table == OpCodeTableKind.T0F38 ? (byte)0x38 : (byte)0x3A;
        if (info.OpCodeLength == 2)
            buffer[n++] = (byte)(info.OpCode >> 8);
        buffer[n++] = (byte)info.OpCode;
        if (info.OpCodeLength == 2)
            return n;
        Operands(buffer, n, info, random);
        return n;
    }

    // Three-byte form (SDM Vol. 2A 2.3.5); a field that the instruction leaves open, or a wrong one now and then, is random.
    private static int EncodeVex(byte[] buffer, OpCodeInfo info, Random random)
    {
        random.NextBytes(buffer);
        int table = info.Table switch { OpCodeTableKind.T0F => 1, OpCodeTableKind.T0F38 => 2, _ => 3 };
        int prefix = info.MandatoryPrefix switch { MandatoryPrefix.P66 => 1, MandatoryPrefix.PF3 => 2, MandatoryPrefix.PF2 => 3, _ => 0 };
        int wide = info.IsWIG ? random.Next(2) : (int)info.W, length = info.IsLIG ? random.Next(2) : (int)info.L;
        int source = random.Next(3) == 0 ? 0 : random.Next(16);
        buffer[0] = 0xC4;
        buffer[1] = (byte)((random.Next(3) == 0 ? random.Next(8) << 5 : 0xE0) | table);
        buffer[2] = (byte)(wide << 7 | (source ^ 0xF) << 3 | length << 2 | prefix);
        buffer[3] = (byte)info.OpCode;
        Operands(buffer, 4, info, random);
        return 4;
    }

    private static void Operands(byte[] buffer, int n, OpCodeInfo info, Random random)
    {
        int modrm = random.Next(3) switch { 0 => 0xC0 | random.Next(64), 1 => random.Next(64), _ => 0x40 | random.Next(64) };
        buffer[n] = (byte)(info.IsGroup ? (modrm & 0xC7) | (info.GroupIndex << 3) : modrm);
        if (random.Next(3) != 0)
            buffer.AsSpan(n + 4).Clear(); // small displacements and immediates are more often than not what leads on
    }

    private static Code[] Select(int bitness, Func<Code, bool> wanted) =>
    [
        .. Enum.GetValues<Code>().Distinct().Where(code => code != Code.INVALID
            && code.Encoding() is EncodingKind.Legacy or EncodingKind.VEX && code.ToOpCode().IsInstruction
            && code.ToOpCode().IsAvailableInMode(bitness) && wanted(code)),
    ];

    private static bool IsInteger(Code code) => code.CpuidFeatures().All(feature =>
        feature is >= CpuidFeature.INTEL8086 and <= CpuidFeature.INTEL486
        or CpuidFeature.X64 or CpuidFeature.CMOV or CpuidFeature.CX8);

    private static bool IsSystem(Code code) => s_system.Contains(code.Mnemonic());
}
