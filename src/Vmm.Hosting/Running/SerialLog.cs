using System.Text;
using Microsoft.Extensions.Logging;

namespace Vmm;

/// <summary>
/// What a guest sends, as lines of the host's log: at most <see cref="LinesPerSecond"/> of them, and none longer than
/// <see cref="LineLength"/>.
/// </summary>
/// <remarks>Called under the device's lock, so by one thread at a time.</remarks>
internal sealed class SerialLog(ILogger logger, string machine, TimeProvider time) : IDisposable
{
    internal const int LinesPerSecond = 100;
    internal const int LineLength = 400;

    private readonly StringBuilder _line = new();
    private long _second = long.MinValue;
    private int _lines;
    private long _dropped;

    internal void Write(ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
        {
            if (value == '\n' || _line.Length == LineLength)
                Flush();
            // A log is read on terminals: what would move their cursor is left out.
            if (value is >= 0x20 and < 0x7F or (byte)'\t')
                _line.Append((char)value);
            else if (value >= 0x7F)
                _line.Append('?');
        }
    }

    /// <summary>Logs a line that the guest did not end; it sends no more.</summary>
    public void Dispose() => Flush();

    private void Flush()
    {
        if (_line.Length == 0)
            return;
        string line = _line.ToString();
        _line.Clear();
        long second = time.GetTimestamp() / time.TimestampFrequency;
        if (second != _second)
        {
            _second = second;
            _lines = 0;
            if (_dropped != 0)
                HostingLog.LinesDropped(logger, machine, _dropped);
            _dropped = 0;
        }
        if (_lines++ < LinesPerSecond)
            HostingLog.Line(logger, machine, line);
        else
            _dropped++;
    }
}
