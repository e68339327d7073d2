using System.Net.Sockets;

namespace Vmm.Devices;

/// <summary>
/// The gateway's end of a TCP connection to the guest, joined to a socket of the host (RFC 9293). Nothing is lost on the way to the guest
/// but what its own driver drops, so a plain repetition from the first unacknowledged byte is enough. Used on the network's loop.
/// </summary>
internal sealed class TcpConnection(TcpAddress address, FrameWriter writer, NetworkLoop loop) : IDisposable
{
    private const int BufferSize = 64 << 10;
    private const int LargestSegment = 1460;
    private const long RepeatMilliseconds = 1000;
    private const int MostRepeats = 8;

    private readonly byte[] _toGuest = new byte[BufferSize];
    private int _toGuestStart;
    private int _toGuestCount;
    private int _toHostCount;
    private uint _firstUnacknowledged;
    private uint _nextToSend;
    private uint _nextExpected;
    private int _guestWindow;
    private int _segment = LargestSegment;
    private long _lastProgress;
    private int _repeats;
    private Phase _phase;
    private bool _isReading;
    private bool _hostFinished;
    private bool _finishSent;
    private bool _guestFinished;
    private bool _wasWindowClosed;
    private HostStream? _host;

    private enum Phase
    {
        Connecting,
        AnsweredGuest,
        AskedGuest,
        Established,
        Closed,
    }

    public bool IsClosed => _phase == Phase.Closed;

    private int Window => BufferSize - 1 - _toHostCount;

    // Bytes of the buffer that are under way; the guest's FIN counterpart is not one of them.
    private int UnderWay => (int)(_nextToSend - _firstUnacknowledged) - (_finishSent && _nextToSend != _firstUnacknowledged ? 1 : 0);

    /// <summary>The guest opens the connection: it is answered when the host has taken it.</summary>
    public void Accept(in TcpSegment segment, ushort hostPort)
    {
        _nextExpected = segment.Sequence + 1;
        _guestWindow = segment.Window;
        _segment = Math.Min(segment.MaximumSegment, LargestSegment);
        Begin(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        _ = _host!.ConnectAsync(hostPort, () =>
        {
            if (IsClosed)
                return;
            _phase = Phase.AnsweredGuest;
            _lastProgress = Environment.TickCount64;
            _nextToSend++;
            SendSynchronize();
        });
    }

    /// <summary>A program of the host opens the connection.</summary>
    public void Open(Socket socket)
    {
        Begin(socket);
        _phase = Phase.AskedGuest;
        _nextToSend++;
        SendSynchronize();
    }

    public void Take(in TcpSegment segment)
    {
        if (segment.Has(TcpSegment.Reset))
        {
            if (segment.Sequence == _nextExpected || (_phase == Phase.AskedGuest && segment.Acknowledgment == _nextToSend))
                Close();
            return;
        }
        switch (_phase)
        {
            case Phase.Connecting:
                return;
            case Phase.AskedGuest:
                if (!segment.Has(TcpSegment.Synchronize) || !segment.Has(TcpSegment.Acknowledge) || segment.Acknowledgment != _nextToSend)
                    return;
                _nextExpected = segment.Sequence + 1;
                _segment = Math.Min(segment.MaximumSegment, LargestSegment);
                Establish(in segment);
                Send(TcpSegment.Acknowledge, _nextToSend, []);
                break;
            case Phase.AnsweredGuest:
                if (segment.Has(TcpSegment.Synchronize))
                {
                    SendSynchronize();
                    return;
                }
                if (!segment.Has(TcpSegment.Acknowledge) || segment.Acknowledgment != _nextToSend)
                    return;
                Establish(in segment);
                break;
        }
        if (!segment.Has(TcpSegment.Acknowledge) || segment.Has(TcpSegment.Synchronize))
            return;
        TakeAcknowledgment(in segment);
        if (segment.Length != 0)
            TakeData(in segment);
        Transmit();
        CloseIfDone();
    }

    public void Tick(long now)
    {
        if (IsClosed || now - _lastProgress < RepeatMilliseconds)
            return;
        bool isProbe = _phase == Phase.Established && _guestWindow == 0 && _toGuestCount > 0;
        if (_nextToSend == _firstUnacknowledged && !isProbe)
            return;
        _lastProgress = now;
        if (!isProbe && ++_repeats > MostRepeats)
        {
            Reset();
            return;
        }
        if (_phase is Phase.AnsweredGuest or Phase.AskedGuest)
        {
            SendSynchronize();
        }
        else if (_phase == Phase.Established)
        {
            _nextToSend = _firstUnacknowledged;
            _finishSent = false;
            if (isProbe)
                SendData(1);
            Transmit();
        }
    }

    /// <summary>Closes it without a word to the guest.</summary>
    public void Dispose()
    {
        _phase = Phase.Closed;
        _host?.Dispose();
    }

    /// <summary>Ends the connection at once, with a reset to the guest.</summary>
    public void Abort()
    {
        if (!IsClosed)
            Reset();
    }

    private void Begin(Socket socket)
    {
        _firstUnacknowledged = _nextToSend = TcpForwarder.NewSequence();
        _lastProgress = Environment.TickCount64;
        _host = new HostStream(socket, loop) { Read = TakeFromHost, Written = TakeWritten, Failed = TakeFailure };
    }

    private void Establish(in TcpSegment segment)
    {
        _phase = Phase.Established;
        _firstUnacknowledged = _nextToSend;
        _guestWindow = segment.Window;
        _repeats = 0;
        _host!.Start();
        AskHost();
    }

    private void TakeAcknowledgment(in TcpSegment segment)
    {
        uint acknowledged = segment.Acknowledgment - _firstUnacknowledged;
        if (acknowledged > _nextToSend - _firstUnacknowledged)
        {
            // After a repetition was begun, what was sent before it may be acknowledged: as far as there is such a thing.
            uint most = (uint)_toGuestCount + (_hostFinished ? 1u : 0);
            if (acknowledged > most)
                return;
            _nextToSend = segment.Acknowledgment;
            _finishSent = acknowledged > (uint)_toGuestCount;
        }
        _guestWindow = segment.Window;
        if (acknowledged == 0)
            return;
        int bytes = (int)Math.Min(acknowledged, (uint)_toGuestCount);
        _toGuestStart = (_toGuestStart + bytes) % BufferSize;
        _toGuestCount -= bytes;
        _firstUnacknowledged = segment.Acknowledgment;
        _lastProgress = Environment.TickCount64;
        _repeats = 0;
        AskHost();
    }

    private void TakeData(in TcpSegment segment)
    {
        int known = (int)(_nextExpected - segment.Sequence);
        ReadOnlySpan<byte> data = segment.Data;
        // What is not the next is asked for again by the acknowledgment, which also tells of the window.
        if (known >= 0 && known <= data.Length && !_guestFinished)
        {
            data = data[known..];
            bool isWhole = data.Length <= Window;
            if (!isWhole)
                data = data[..Window];
            if (!data.IsEmpty)
            {
                _toHostCount += data.Length;
                _nextExpected += (uint)data.Length;
                _host!.Write(data);
            }
            if (isWhole && segment.Has(TcpSegment.Finish))
            {
                _guestFinished = true;
                _nextExpected++;
                _host!.Finish();
            }
        }
        _wasWindowClosed = Window < LargestSegment;
        Send(TcpSegment.Acknowledge, _nextToSend, []);
    }

    private void TakeFromHost(ReadOnlyMemory<byte> data)
    {
        _isReading = false;
        if (IsClosed)
            return;
        _hostFinished |= data.IsEmpty;
        foreach (byte value in data.Span)
            _toGuest[(_toGuestStart + _toGuestCount++) % BufferSize] = value;
        AskHost();
        Transmit();
        CloseIfDone();
    }

    private void TakeWritten(int count)
    {
        _toHostCount -= count;
        CloseIfDone();
        if (IsClosed || !_wasWindowClosed || Window < LargestSegment)
            return;
        _wasWindowClosed = false;
        Send(TcpSegment.Acknowledge, _nextToSend, []);
    }

    private void TakeFailure()
    {
        if (!IsClosed)
            Reset();
    }

    private void AskHost()
    {
        if (_isReading || _hostFinished || _toGuestCount > BufferSize - HostStream.PieceSize)
            return;
        _isReading = true;
        _host!.RequestPiece();
    }

    private void Transmit()
    {
        if (_phase != Phase.Established)
            return;
        while (UnderWay < _toGuestCount && !_finishSent)
        {
            int length = Math.Min(Math.Min(_toGuestCount - UnderWay, _segment), _guestWindow - UnderWay);
            if (length <= 0)
                return;
            SendData(length);
        }
        if (_hostFinished && !_finishSent && UnderWay == _toGuestCount)
        {
            Send(TcpSegment.Finish | TcpSegment.Acknowledge, _nextToSend, []);
            _nextToSend++;
            _finishSent = true;
        }
    }

    private void SendData(int length)
    {
        Span<byte> data = stackalloc byte[LargestSegment];
        int from = UnderWay;
        for (int index = 0; index < length; index++)
            data[index] = _toGuest[(_toGuestStart + from + index) % BufferSize];
        Send(TcpSegment.Acknowledge | TcpSegment.Push, _nextToSend, data[..length]);
        _nextToSend += (uint)length;
    }

    private void SendSynchronize()
    {
        bool isAnswer = _phase == Phase.AnsweredGuest;
        byte flags = isAnswer ? (byte)(TcpSegment.Synchronize | TcpSegment.Acknowledge) : TcpSegment.Synchronize;
        TcpSegment.Send(writer, address, _firstUnacknowledged, isAnswer ? _nextExpected : 0, flags, Window, [], LargestSegment);
    }

    private void Send(byte flags, uint sequence, ReadOnlySpan<byte> data) =>
        TcpSegment.Send(writer, address, sequence, _nextExpected, flags, Window, data);

    private void Reset()
    {
        TcpSegment.Send(writer, address, _nextToSend, _nextExpected, TcpSegment.Reset | TcpSegment.Acknowledge, 0, []);
        Close();
    }

    // Both have finished and know it of each other; what the host has not been given yet still goes out.
    private void CloseIfDone()
    {
        if (_phase == Phase.Established && _guestFinished && _finishSent && _firstUnacknowledged == _nextToSend && _toHostCount == 0)
            Close();
    }

    private void Close() => Dispose();
}
