namespace Vmm.Debugging.Protocol;

/// <summary>What came in.</summary>
internal enum PacketInputKind
{
    /// <summary>A packet whose checksum is right.</summary>
    Packet,

    /// <summary>A packet whose checksum is wrong.</summary>
    Damaged,

    /// <summary>A packet longer than was agreed on; its content is lost.</summary>
    TooLong,

    /// <summary>Ctrl-C: the guest shall stop.</summary>
    Interrupt,

    /// <summary>The last packet arrived damaged at the other end.</summary>
    Retransmit,
}

/// <summary>One thing that came in.</summary>
/// <param name="Kind">What.</param>
/// <param name="Content">The packet without frame and escapes; else empty.</param>
internal readonly record struct PacketInput(PacketInputKind Kind, byte[] Content);

/// <summary>
/// Finds packets in a stream of bytes: <c>$content#checksum</c>. Holds at most one packet; bytes between packets are ignored.
/// </summary>
internal sealed class PacketParser
{
    /// <summary>Longest content, escapes counted.</summary>
    public const int MaximumLength = 0x4000;

    private readonly byte[] _content = new byte[MaximumLength];
    private Place _place;
    private int _length;
    private int _sum;
    private int _wanted;
    private bool _isTooLong;
    private bool _escaped;

    private enum Place
    {
        Between,
        Content,
        FirstDigit,
        SecondDigit,
    }

    /// <summary>Takes the next byte. True: something is complete.</summary>
    public bool TryPush(byte next, out PacketInput input)
    {
        input = default;
        switch (_place)
        {
            case Place.Between:
                return TryStart(next, out input);
            case Place.Content when next == '#':
                _place = Place.FirstDigit;
                return false;
            case Place.Content when next == '$':
                Begin(); // the end of the last one was lost
                return false;
            case Place.Content:
                Append(next);
                return false;
            case Place.FirstDigit:
                _wanted = Hex.Digit(next) << 4;
                _place = Place.SecondDigit;
                return false;
            default:
                _place = Place.Between;
                int low = Hex.Digit(next);
                bool isRight = _wanted >= 0 && low >= 0 && (_wanted | low) == _sum && !_escaped;
                input = _isTooLong ? new PacketInput(PacketInputKind.TooLong, [])
                    : isRight ? new PacketInput(PacketInputKind.Packet, _content[.._length])
                    : new PacketInput(PacketInputKind.Damaged, []);
                return true;
        }
    }

    private bool TryStart(byte next, out PacketInput input)
    {
        input = default;
        switch (next)
        {
            case (byte)'$':
                Begin();
                return false;
            case 3:
                input = new PacketInput(PacketInputKind.Interrupt, []);
                return true;
            case (byte)'-':
                input = new PacketInput(PacketInputKind.Retransmit, []);
                return true;
            default:
                return false;
        }
    }

    private void Begin()
    {
        _place = Place.Content;
        _length = _sum = 0;
        _isTooLong = _escaped = false;
    }

    private void Append(byte next)
    {
        _sum = (_sum + next) & 0xFF;
        if (!_escaped && next == '}')
        {
            _escaped = true;
            return;
        }
        if (_length == MaximumLength)
        {
            _isTooLong = true;
            return;
        }
        _content[_length++] = _escaped ? (byte)(next ^ 0x20) : next;
        _escaped = false;
    }
}
