using Vmm.X86;

namespace Vmm.Differential.Cases;

/// <summary>
/// Makes instruction bytes: an encoding's opcode with random operands and prefixes, or such bytes mutated. What may not run on the host is
/// counted and made anew.
/// </summary>
internal sealed class InstructionSource
{
    private const int Longest = CaseLayout.MostCodeBytes;
    private static readonly byte[] s_prefixes = [0x66, 0xF2, 0xF3, 0xF0, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x67];
    private static readonly byte[] s_systemGroup = [0x0F, 0x01];
    private readonly CpuidModel _model;
    private readonly Encoding[] _encodings64, _encodings32;
    private readonly bool _filtered;
    private readonly FixedReader _reader = new();
    private readonly Decoder[] _intel, _amd, _lenient;

    /// <param name="model">Which instructions there are.</param>
    /// <param name="encodings">The encodings to choose from.</param>
    /// <param name="filtered">Only these, without mutations.</param>
    public InstructionSource(CpuidModel model, Encoding[] encodings, bool filtered)
    {
        _model = model;
        _encodings64 = [.. encodings.Where(encoding => encoding.Info.Mode64 && !Exclusions.IsShortBranch(encoding.Info))];
        _encodings32 = [.. encodings.Where(encoding => encoding.Info.Mode32)];
        _filtered = filtered;
        _intel = Create(DecoderOptions.ForceReservedNop);
        _lenient = Create(DecoderOptions.ForceReservedNop | DecoderOptions.NoInvalidCheck);
        _amd = Create(DecoderOptions.ForceReservedNop | DecoderOptions.AMD);

        Decoder[] Create(DecoderOptions options) => [Decoder.Create(32, _reader, options), Decoder.Create(64, _reader, options)];
    }

    /// <summary>How often bytes were made that are left out, by reason.</summary>
    public Dictionary<string, long> LeftOut { get; } = [];

    /// <summary>Encodings that have a place in the comparison.</summary>
    public static Encoding[] Choose(CpuidModel model, string? filter) =>
    [
        .. Encoding.All.Where(encoding => Exclusions.Reason(new Instruction { Code = encoding.Code }, model) == null
            && (filter == null || encoding.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))),
    ];

    /// <summary>Chooses the width of a case's code, among those for which there is an encoding: 64 bits mostly.</summary>
    public int ChooseBits(ref CaseRandom random) =>
        _encodings64.Length == 0 || (_encodings32.Length != 0 && random.Percent(25)) ? 32 : 64;

    /// <summary>Makes bytes that may run.</summary>
    /// <param name="random">The case's generator.</param>
    /// <param name="bytes">Receives 32 bytes: the instruction and filler.</param>
    /// <param name="address">Where it will lie.</param>
    /// <param name="bits">64 or 32: the code it is part of.</param>
    /// <param name="instruction">What they are, invalid when they are none.</param>
    /// <returns>Where the constants in the bytes are.</returns>
    public ConstantOffsets Make(ref CaseRandom random, Span<byte> bytes, ulong address, int bits, out Instruction instruction)
    {
        Encoding[] encodings = bits == 64 ? _encodings64 : _encodings32;
        while (true)
        {
            Encoding encoding = encodings[random.Next(encodings.Length)];
            int attempts = 0;
            bool mutated = !_filtered && random.Percent(12);
            bool found;
            do
            {
                Compose(ref random, encoding, bits, bytes);
                found = Decode(bytes, address, bits, out instruction) && instruction.Code == encoding.Code;
            }
            while (!found && ++attempts < 40);
            if (mutated)
            {
                Mutate(ref random, bytes, Math.Max(instruction.Length, 1));
                Decode(bytes, address, bits, out instruction);
            }
            else if (!found)
            {
                continue;
            }

            string? reason = instruction.IsInvalid ? LenientReason(bytes, address, bits) : Exclusions.Reason(in instruction, _model);
            reason ??= DecodeAmd(bytes, address, bits, in instruction) ? null : Exclusions.DecodedDifferently;
            if (reason != null)
            {
                LeftOut[reason] = LeftOut.GetValueOrDefault(reason) + 1;
                continue;
            }

            bytes[Math.Max(instruction.Length, 1)..].Fill(CaseLayout.Filler);
            Decode(bytes, address, bits, out instruction);
            return instruction.IsInvalid ? default : _intel[bits >> 6].GetConstantOffsets(in instruction);
        }
    }

    /// <summary>Decodes as the host does, with every feature.</summary>
    public bool Decode(ReadOnlySpan<byte> bytes, ulong address, int bits, out Instruction instruction)
    {
        _reader.Set(bytes);
        _intel[bits >> 6].IP = address;
        _intel[bits >> 6].Decode(out instruction);
        return !instruction.IsInvalid;
    }

    // What is an instruction but for its operands, and one that the profile does not have: the host may be less strict about them.
    private string? LenientReason(ReadOnlySpan<byte> bytes, ulong address, int bits)
    {
        // What 0F 01 with a register means is the hypervisor's affair, with prefixes that make it invalid, too.
        int group = bytes.IndexOf(s_systemGroup);
        if (group is >= 0 and < 14 && bytes[group + 2] >= 0xC0)
            return Exclusions.Virtual;
        _reader.Set(bytes);
        _lenient[bits >> 6].IP = address;
        _lenient[bits >> 6].Decode(out Instruction instruction);
        if (!instruction.IsInvalid && !_model.IsAvailable(instruction.Code))
            return Exclusions.NotInProfile;
        return ReasonWithoutPrefixes(bytes, address, bits);
    }

    // With an operand-size or repeat prefix VMCALL and its like are no instructions, but some hosts look at the hypervisor's bits first;
    // and some load the operand of VERR and VERW before they look for LOCK.
    private string? ReasonWithoutPrefixes(ReadOnlySpan<byte> bytes, ulong address, int bits)
    {
        int prefixes = bytes.IndexOfAnyExcept(s_prefixes);
        if (prefixes <= 0 || !Decode(bytes[prefixes..], address, bits, out Instruction bare))
            return null;
        string? reason = Exclusions.Reason(in bare, _model);
        return reason == Exclusions.Virtual || bare.Mnemonic is Mnemonic.Verr or Mnemonic.Verw ? reason : null;
    }

    private bool DecodeAmd(ReadOnlySpan<byte> bytes, ulong address, int bits, in Instruction expected)
    {
        _reader.Set(bytes);
        _amd[bits >> 6].IP = address;
        _amd[bits >> 6].Decode(out Instruction instruction);
        return instruction == expected && instruction.Length == expected.Length;
    }

    private static void Compose(ref CaseRandom random, Encoding encoding, int bits, Span<byte> bytes)
    {
        bytes.Fill(CaseLayout.Filler);
        int n = 0;
        OpCodeInfo info = encoding.Info;
        if (random.Percent(15))
        {
            for (int extra = random.Next(1, 3); extra > 0; extra--)
                bytes[n++] = s_prefixes[random.Next(s_prefixes.Length)];
        }

        if (info.CanUseLockPrefix && random.Percent(10))
            bytes[n++] = 0xF0;
        if ((info.CanUseRepPrefix || info.CanUseRepnePrefix) && random.Percent(50))
            bytes[n++] = (byte)(info.CanUseRepnePrefix && random.Percent(50) ? 0xF2 : 0xF3);
        if ((info.AddressSize == 96 - bits && random.Percent(95)) || (bits == 32 && info.AddressSize == 16) || random.Percent(4))
            bytes[n++] = 0x67;
        if (info.Encoding == EncodingKind.VEX)
            n = ComposeVex(ref random, info, bits, bytes, n);
        else
            n = ComposeLegacy(ref random, info, bits, bytes, n);
        foreach (byte part in encoding.Opcode)
            bytes[n++] = part;
        if (encoding.InOpcode)
            bytes[n - 1] |= (byte)random.Next(8);
        if (encoding.Opcode.Length == 2)
            n--; // the second byte is the ModRM byte's place
        Span<byte> tail = bytes[n..Math.Min(n + 14, Longest)];
        byte second = tail[0];
        random.Fill(tail);
        if (encoding.Opcode.Length == 2)
            tail[0] = second;
        int modrm = tail[0];
        if (info.GroupIndex >= 0 && encoding.Opcode.Length == 1)
            modrm = (modrm & 0xC7) | (info.GroupIndex << 3);
        if (info.RmGroupIndex >= 0 && encoding.Opcode.Length == 1)
            modrm = (modrm & 0xF8) | info.RmGroupIndex;
        if (encoding.Opcode.Length == 1 && random.Percent(25))
            modrm |= 0xC0;
        tail[0] = (byte)modrm;
        ShapeImmediate(ref random, info, tail);
    }

    // Small immediates where large ones would only fault or do nothing.
    private static void ShapeImmediate(ref CaseRandom random, OpCodeInfo info, Span<byte> tail)
    {
        if (info.Mnemonic == Mnemonic.Enter && random.Percent(60))
        {
            tail[1] &= 3;
            tail[2] = (byte)(random.Percent(60) ? 0 : tail[2] & 15);
        }
    }

    private static int ComposeLegacy(ref CaseRandom random, OpCodeInfo info, int bits, Span<byte> bytes, int n)
    {
        byte mandatory = info.MandatoryPrefix switch
        {
            MandatoryPrefix.P66 => 0x66,
            MandatoryPrefix.PF2 => 0xF2,
            MandatoryPrefix.PF3 => 0xF3,
            _ => 0,
        };
        if (info.OperandSize == 16 && mandatory != 0x66)
            bytes[n++] = 0x66;
        if (mandatory != 0)
            bytes[n++] = mandatory;
        int rex = random.Percent(45) ? 0x40 | random.Next(8) : 0;
        if (info.OperandSize == 64 ? random.Percent(info.DefaultOpSize64 || info.ForceOpSize64 ? 20 : 99)
            : info.OperandSize == 0 && random.Percent(15))
            rex |= 0x48;
        if (rex != 0 && bits == 64)
            bytes[n++] = (byte)rex;
        switch (info.Table)
        {
            case OpCodeTableKind.T0F:
                bytes[n++] = 0x0F;
                break;
            case OpCodeTableKind.T0F38:
                bytes[n++] = 0x0F;
                bytes[n++] = 0x38;
                break;
            case OpCodeTableKind.T0F3A:
                bytes[n++] = 0x0F;
                bytes[n++] = 0x3A;
                break;
            default:
                break;
        }

        return n;
    }

    private static int ComposeVex(ref CaseRandom random, OpCodeInfo info, int bits, Span<byte> bytes, int n)
    {
        int prefix = info.MandatoryPrefix switch
        {
            MandatoryPrefix.P66 => 1,
            MandatoryPrefix.PF3 => 2,
            MandatoryPrefix.PF2 => 3,
            _ => 0,
        };
        int map = info.Table switch { OpCodeTableKind.T0F => 1, OpCodeTableKind.T0F38 => 2, _ => 3 };
        int vector = random.Percent(35) ? 15 : random.Next(16);
        int length = info.IsLIG ? random.Next(2) : (int)info.L & 1;
        int wide = info.IsWIG ? random.Next(2) : (int)info.W & 1;
        if (map == 1 && wide == 0 && random.Percent(50))
        {
            bytes[n++] = 0xC5;
            bytes[n++] = (byte)(((bits == 64 ? random.Next(2) : 1) << 7) | (vector << 3) | (length << 2) | prefix);
            return n;
        }

        bytes[n++] = 0xC4;
        bytes[n++] = (byte)(((bits == 64 ? random.Next(8) : 6 | random.Next(2)) << 5) | map);
        bytes[n++] = (byte)((wide << 7) | (vector << 3) | (length << 2) | prefix);
        return n;
    }

    private static void Mutate(ref CaseRandom random, Span<byte> bytes, int length)
    {
        int at = random.Next(length);
        switch (random.Next(5))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next();
                break;
            case 2: // a prefix in front
                bytes[..^1].CopyTo(bytes[1..]);
                bytes[0] = random.Percent(70) ? s_prefixes[random.Next(s_prefixes.Length)] : (byte)(0x40 | random.Next(16));
                break;
            case 3: // too many prefixes
                int count = random.Next(8, 16);
                bytes[..^count].CopyTo(bytes[count..]);
                for (int i = 0; i < count; i++)
                    bytes[i] = s_prefixes[random.Next(s_prefixes.Length)];
                break;
            default:
                random.Fill(bytes[..Longest]);
                break;
        }
    }

    private sealed class FixedReader : CodeReader
    {
        private readonly byte[] _bytes = new byte[Longest];
        private int _position;

        public void Set(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_bytes);
            _position = 0;
        }

        public override int ReadByte() => _position < _bytes.Length ? _bytes[_position++] : -1;
    }
}
