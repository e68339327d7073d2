using System.Text;
using Vmm.Debugging.Control;

namespace Vmm.Debugging.Protocol;

/// <summary>
/// One debugger's connection: takes its packets and tells it of stops, on the thread that called <see cref="Serve"/>. The commands are in
/// the other parts.
/// </summary>
internal sealed partial class GdbSession
{
    private const int MostRetransmissions = 8;
    private const string Malformed = "E01";
    private const string NotStopped = "E02";
    private const string NoMemory = "E14";

    private readonly Stream _stream;
    private readonly DebugTarget _target;
    private readonly SessionQueue _queue = new();
    private byte[] _last = [];
    private int _retransmissions;
    private bool _hasEntered;
    private bool _noAcknowledgement;
    private bool _ends;
    private bool _killed;

    public GdbSession(Stream stream, DebugTarget target)
    {
        _stream = stream;
        _target = target;
    }

    /// <summary>Ends the session soon. Any thread.</summary>
    public void Close() => _queue.Close();

    /// <summary>The guest has ended. Any thread.</summary>
    public void PostExit() => _queue.PostExit();

    /// <summary>Serves the debugger until it goes.</summary>
    public void Serve()
    {
        Thread reader = new(Read) { IsBackground = true, Name = "vmm debugger input" };
        reader.Start();
        _target.Processors.StopPosted += _queue.PostStop;
        try
        {
            while (!_ends && TakeNext())
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The debugger is gone in the middle of an answer.
        }
        finally
        {
            _target.Processors.StopPosted -= _queue.PostStop;
            _queue.Close();
            if (_killed)
                _target.Kill();
            if (_hasEntered)
                _target.Leave();
        }
    }

    // False: it is over.
    private bool TakeNext()
    {
        switch (_queue.Take(out PacketInput input))
        {
            case SessionEvent.Closed:
                return false;
            case SessionEvent.Stop when _hasEntered && _target.IsRunning:
                ReportStop(_target.AwaitStop());
                return true;
            case SessionEvent.Exit when _hasEntered && _target.IsRunning:
                Send(ExitReply());
                return true;
            case SessionEvent.Input:
                if (!_hasEntered)
                {
                    _hasEntered = true;
                    _target.Enter();
                }
                Take(in input);
                return true;
            default:
                return true;
        }
    }

    private void Take(in PacketInput input)
    {
        if (input.Kind != PacketInputKind.Retransmit)
            _retransmissions = 0;
        switch (input.Kind)
        {
            case PacketInputKind.Interrupt:
                if (_target.IsRunning && _target.ExitStatus is null)
                    ReportStop(_target.Stop() ?? new StopReport(_general, StopReport.Interrupt));
                break;
            case PacketInputKind.Retransmit when _last.Length > 0 && !_noAcknowledgement:
                _ends = ++_retransmissions > MostRetransmissions;
                Write(_last);
                break;
            case PacketInputKind.Damaged when !_noAcknowledgement:
                Write("-"u8);
                break;
            case PacketInputKind.Damaged:
                Send(Malformed);
                break;
            case PacketInputKind.TooLong:
                Acknowledge();
                Send(Malformed);
                break;
            case PacketInputKind.Packet:
                Acknowledge();
                if (Answer(Encoding.Latin1.GetString(input.Content)) is { } answer)
                    Send(answer);
                break;
        }
    }

    // Null: no answer now.
    private string? Answer(string packet)
    {
        try
        {
            return Execute(packet);
        }
        catch (InvalidOperationException)
        {
            return NotStopped; // a processor is not at rest
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or HypervisorException)
        {
            return $"E.{e.Message.ReplaceLineEndings(" ")}";
        }
    }

    private void Acknowledge()
    {
        if (!_noAcknowledgement)
            Write("+"u8);
    }

    private void Send(string answer)
    {
        _last = PacketFrame.Of(answer);
        Write(_last);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _stream.Flush();
    }

    private void Read()
    {
        PacketParser parser = new();
        byte[] buffer = new byte[4096];
        bool isFirst = true;
        try
        {
            int count;
            while ((count = _stream.Read(buffer, 0, buffer.Length)) > 0)
            {
                // What begins otherwise is no debugger but, say, a browser that was led here.
                if (isFirst && buffer[0] is not ((byte)'+' or (byte)'-' or (byte)'$' or 3))
                    break;
                if (isFirst && _stream.CanTimeout)
                    _stream.ReadTimeout = Timeout.Infinite;
                isFirst = false;
                for (int i = 0; i < count; i++)
                {
                    if (parser.TryPush(buffer[i], out PacketInput input) && !_queue.Add(in input))
                        return;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The debugger is gone.
        }
        finally
        {
            _queue.Close();
        }
    }
}
