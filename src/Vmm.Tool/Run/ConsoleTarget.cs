namespace Vmm.Tool.Run;

/// <summary>Where a debug console's characters go.</summary>
internal sealed class ConsoleTarget : IDisposable
{
    private readonly TextWriter? _error;
    private readonly FileStream? _file;
    private bool _closed;

    private ConsoleTarget(TextWriter? error, FileStream? file)
    {
        _error = error;
        _file = file;
    }

    public static ConsoleTarget Open(string text, TextWriter error)
    {
        if (text == "stderr")
            return new ConsoleTarget(error, null);
        if (!text.StartsWith("file:", StringComparison.Ordinal) || text.Length == 5)
            throw new UsageException($"--debug-console '{text}' must be stderr or file:PATH.");
        try
        {
            return new ConsoleTarget(null, new FileStream(text[5..], FileMode.Create, FileAccess.Write, FileShare.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--debug-console {text} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes what the guest sent. A file that can take no more ends the output, not the guest.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        if (_closed)
            return;
        try
        {
            _file?.Write(data);
            // Not to be taken for the terminal's own commands.
            foreach (byte value in _error is null ? [] : data)
                _error!.Write(value is (byte)'\n' or (byte)'\t' or (>= 0x20 and < 0x7F) ? (char)value : '.');
            if (data.Contains((byte)'\n'))
                _file?.Flush();
        }
        catch (IOException)
        {
            _closed = true;
        }
    }

    public void Dispose() => _file?.Dispose();
}
