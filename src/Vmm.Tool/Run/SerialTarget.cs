namespace Vmm.Tool.Run;

/// <summary>Where the guest's first serial port goes, and where its input comes from.</summary>
internal sealed class SerialTarget : IDisposable
{
    private readonly Stream? _output;
    private readonly bool _owned;
    private bool _closed;

    private SerialTarget(Stream? output, Stream? input, bool owned, bool interactive)
    {
        _output = output;
        _owned = owned;
        Input = input;
        IsInteractive = interactive;
    }

    /// <summary>What is typed to the guest, or null.</summary>
    public Stream? Input { get; }

    /// <summary>Input and output are a terminal.</summary>
    public bool IsInteractive { get; }

    public static SerialTarget Open(string text, StandardStreams streams)
    {
        if (text == "none")
            return new SerialTarget(null, null, false, false);
        if (text == "stdio")
            return new SerialTarget(streams.Output, streams.Input, false, streams.IsTerminal);
        string path = text["file:".Length..];
        try
        {
            return new SerialTarget(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1), null, true, false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--serial file:{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes what the guest sent, at once. A reader that went away ends the output, not the guest.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        if (_output is null || _closed)
            return;
        try
        {
            _output.Write(data);
            _output.Flush();
        }
        catch (IOException)
        {
            _closed = true;
        }
    }

    public void Dispose()
    {
        if (_owned)
            _output!.Dispose();
    }
}
