using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vmm.Debugging.Tests;

/// <summary>The debugger's side of the protocol, as little of it as tests need.</summary>
internal sealed class GdbClient : IDisposable
{
    private readonly TcpClient _client = new();
    private readonly NetworkStream _stream;

    public GdbClient(IPEndPoint endPoint)
    {
        _client.Connect(endPoint);
        _client.NoDelay = true;
        _stream = _client.GetStream();
        _stream.ReadTimeout = 20_000;
    }

    /// <summary>Sends a packet and gives back the answer to it; output of the monitor's is left out.</summary>
    public string Ask(string packet)
    {
        SendPacket(packet);
        return Receive();
    }

    public void SendPacket(string packet) => SendRaw($"${packet}#{Sum(packet):x2}");

    public void SendRaw(string bytes) => SendRaw(Encoding.Latin1.GetBytes(bytes));

    public void SendRaw(byte[] bytes) => _stream.Write(bytes);

    /// <summary>The next packet, acknowledged.</summary>
    public string Receive()
    {
        while (true)
        {
            string packet = ReceiveRaw();
            if (packet.Length < 2 || packet[0] != 'O' || packet == "OK")
                return packet;
            Output += Encoding.UTF8.GetString(Convert.FromHexString(packet[1..]));
        }
    }

    /// <summary>What the monitor said so far.</summary>
    public string Output { get; private set; } = "";

    /// <summary>The server closed the connection.</summary>
    public bool IsClosed
    {
        get
        {
            try
            {
                while (_stream.ReadByte() is int next && next != -1)
                {
                }
                return true;
            }
            catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
            {
                return false;
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    /// <summary>The next byte outside of packets.</summary>
    public char ReceiveByte() => (char)_stream.ReadByte();

    public void Dispose() => _client.Dispose();

    private string ReceiveRaw()
    {
        int next;
        while ((next = _stream.ReadByte()) != '$')
        {
            if (next == -1)
                throw new EndOfStreamException("The server closed the connection.");
        }
        StringBuilder content = new();
        int sum = 0;
        while ((next = _stream.ReadByte()) != '#')
        {
            if (next == -1)
                throw new EndOfStreamException("The server closed the connection.");
            sum = (sum + next) & 0xFF;
            if (next == '}')
            {
                next = _stream.ReadByte();
                sum = (sum + next) & 0xFF;
                next ^= 0x20;
            }
            content.Append((char)next);
        }
        string stated = $"{(char)_stream.ReadByte()}{(char)_stream.ReadByte()}";
        stated.Should().Be($"{sum:x2}", "that is the checksum of {0}", content);
        SendRaw("+");
        return content.ToString();
    }

    private static int Sum(string packet) => packet.Sum(character => character) & 0xFF;
}
