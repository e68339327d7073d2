namespace Vmm.X86.Execution;

/// <summary>
/// How long bytes are as an instruction, whether or not there is one (SDM Vol. 2D appendix A, the opcode maps): prefixes, opcode, ModRM,
/// SIB,
/// displacement and immediate. For bytes that the decoder refused: it does not read them to their end.
/// </summary>
// SAFETY: reads only inside the bytes that the caller gives with their count.
internal unsafe ref struct InstructionExtent
{
    private readonly byte* _bytes;
    private readonly int _available;
    private readonly int _codeSize;
    private int _position;
    private bool _operandSize, _addressSize, _wide;

    private InstructionExtent(byte* bytes, int available, int codeSize)
    {
        _bytes = bytes;
        _available = available;
        _codeSize = codeSize;
    }

    /// <summary>The length in bytes; more than <paramref name="available"/> where the end lies behind them.</summary>
    /// <param name="bytes">First byte.</param>
    /// <param name="available">Bytes that may be read.</param>
    /// <param name="codeSize">16, 32 or 64.</param>
    public static int Of(byte* bytes, int available, int codeSize)
    {
        InstructionExtent extent = new(bytes, available, codeSize);
        extent.Measure();
        return extent._position;
    }

    private readonly int Immediate => !_wide && _operandSize != (_codeSize == 16) ? 2 : 4;

    // What lies behind the available bytes reads as zero: the length is more than them in any case.
    private byte Next()
    {
        byte value = _position < _available ? _bytes[_position] : (byte)0;
        _position++;
        return value;
    }

    private void Measure()
    {
        byte opcode = Next();
        while (IsPrefix(opcode) && _position < _available)
        {
            _wide = _codeSize == 64 && opcode >> 4 == 4 && (opcode & 8) != 0;
            _operandSize |= opcode == 0x66;
            _addressSize |= opcode == 0x67;
            opcode = Next();
        }

        if (IsPrefix(opcode))
            _position = _available + 1;
        else if (opcode is 0xC4 or 0xC5 or 0x62 && (_codeSize == 64 || (_position < _available && _bytes[_position] >= 0xC0)))
            MeasureVector(opcode);
        else if (opcode == 0x0F)
            MeasureTwoByte(Next());
        else
            MeasureOneByte(opcode);
    }

    private readonly bool IsPrefix(byte value) => value is 0x66 or 0x67 or 0xF0 or 0xF2 or 0xF3 or 0x26 or 0x2E or 0x36 or 0x3E or 0x64
        or 0x65
        || (_codeSize == 64 && value >> 4 == 4);

    private void MeasureVector(byte prefix)
    {
        byte first = Next();
        int map = prefix == 0xC5 ? 1 : first & (prefix == 0x62 ? 7 : 0x1F);
        for (int rest = prefix switch { 0xC5 => 0, 0xC4 => 1, _ => 2 }; rest > 0; rest--)
            Next();
        byte opcode = Next();
        if (map == 1 && opcode == 0x77)
            return;
        ModRm();
        if (map == 3 || (map == 1 && opcode is >= 0x70 and <= 0x73 or 0xC2 or >= 0xC4 and <= 0xC6))
            _position++;
    }

    private void MeasureTwoByte(byte opcode)
    {
        switch (opcode)
        {
            case 0x38:
                Next();
                ModRm();
                break;
            case 0x3A:
                Next();
                ModRm();
                _position++;
                break;
            case >= 0x05 and <= 0x09 or 0x0B or 0x0E or >= 0x30 and <= 0x37 or 0x77 or >= 0xA0 and <= 0xA2 or >= 0xA8 and <= 0xAA
                or >= 0xC8 and <= 0xCF:
                break;
            case >= 0x20 and <= 0x23: // control and debug registers: always with a register, whatever the mode bits say
                _position++;
                break;
            case >= 0x80 and <= 0x8F:
                _position += _codeSize == 64 ? 4 : Immediate;
                break;
            case 0x0F or >= 0x70 and <= 0x73 or 0xA4 or 0xAC or 0xBA or 0xC2 or >= 0xC4 and <= 0xC6:
                ModRm();
                _position++;
                break;
            default:
                ModRm();
                break;
        }
    }

    private void MeasureOneByte(byte opcode)
    {
        switch (opcode)
        {
            case < 0x40 when (opcode & 7) < 4:
            case 0x62 or 0x63 or >= 0x84 and <= 0x8F or 0xC4 or 0xC5 or >= 0xD0 and <= 0xD3 or >= 0xD8 and <= 0xDF or 0xFE or 0xFF:
                ModRm();
                break;
            case < 0x40 when (opcode & 7) == 4:
            case 0x6A or >= 0x70 and <= 0x7F or 0xA8 or >= 0xB0 and <= 0xB7 or 0xCD or 0xD4 or 0xD5 or >= 0xE0 and <= 0xE7 or 0xEB:
                _position++;
                break;
            case < 0x40 when (opcode & 7) == 5:
            case 0x68 or 0xA9:
                _position += Immediate;
                break;
            case 0x69 or 0x81 or 0xC7:
                ModRm();
                _position += Immediate;
                break;
            case 0x6B or 0x80 or 0x82 or 0x83 or 0xC0 or 0xC1 or 0xC6:
                ModRm();
                _position++;
                break;
            case >= 0xA0 and <= 0xA3:
                _position += _codeSize == 64 ? _addressSize ? 4 : 8 : _addressSize != (_codeSize == 16) ? 2 : 4;
                break;
            case >= 0xB8 and <= 0xBF:
                _position += _wide ? 8 : Immediate;
                break;
            case 0xC2 or 0xCA:
                _position += 2;
                break;
            case 0xC8:
                _position += 3;
                break;
            case 0xE8 or 0xE9:
                _position += _codeSize == 64 ? 4 : Immediate;
                break;
            case 0x9A or 0xEA when _codeSize != 64:
                _position += Immediate + 2;
                break;
            case 0xF6 or 0xF7:
                if ((ModRm() & 0x30) == 0)
                    _position += opcode == 0xF6 ? 1 : Immediate;
                break;
            default:
                break;
        }
    }

    private byte ModRm()
    {
        byte modRm = Next();
        int mode = modRm >> 6, register = modRm & 7;
        if (mode == 3)
            return modRm;
        if (_codeSize != 64 && _addressSize != (_codeSize == 16))
        {
            _position += mode == 1 ? 1 : mode == 2 || register == 6 ? 2 : 0;
            return modRm;
        }

        int @base = register == 4 ? Next() & 7 : register;
        _position += mode == 1 ? 1 : mode == 2 || @base == 5 ? 4 : 0;
        return modRm;
    }
}
