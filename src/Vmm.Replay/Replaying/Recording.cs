namespace Vmm.Replay;

/// <summary>A recording, checked from front to back when it is opened.</summary>
/// <remarks>For one thread.</remarks>
public sealed class Recording : IDisposable
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly long _start;

    private Recording(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _start = stream.Position;
        Options = new();
        Notes = new Dictionary<string, string>();
    }

    /// <summary>The backend that it was made on.</summary>
    public string Backend { get; private set; } = "";

    /// <summary>Options of the recorded partition.</summary>
    public PartitionOptions Options { get; private set; }

    /// <summary>What the recorder's client noted (<see cref="RecordingHypervisor.AddNote"/>); of equal names the last.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; private set; }

    /// <summary>Opens a recording.</summary>
    /// <exception cref="RecordingException">It is none, damaged, cut short, or of another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Recording Open(string path) => Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16), leaveOpen: false);

    /// <summary>As the other one, from a stream.</summary>
    /// <param name="stream">Where from; must be able to seek.</param>
    /// <param name="leaveOpen">The stream stays open.</param>
    public static Recording Open(Stream stream, bool leaveOpen = true)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
            throw new ArgumentException("A recording is read twice: the stream must be able to seek.", nameof(stream));
        Recording recording = new(stream, leaveOpen);
        try
        {
            recording.Check();
            return recording;
        }
        catch
        {
            recording.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_leaveOpen)
            _stream.Dispose();
    }

    /// <summary>The operations from the first.</summary>
    internal OperationReader Read()
    {
        _stream.Position = _start;
        OperationReader reader = new(_stream);
        reader.ReadChunk();
        reader.Skip(); // the options
        return reader;
    }

    private void Check()
    {
        OperationReader reader = new(_stream);
        if (reader.ReadChunk() != RecordingChunkKind.Options)
            throw reader.Damaged("should hold the partition's options");
        Backend = reader.Text();
        Options = OptionsCodec.Read(reader);
        Dictionary<string, string> notes = [];
        while (true)
        {
            RecordingChunkKind kind = reader.ReadChunk();
            switch (kind)
            {
                case RecordingChunkKind.Operations:
                    break;
                case RecordingChunkKind.Note:
                    string name = reader.Text();
                    notes[name] = reader.Text();
                    break;
                case RecordingChunkKind.End:
                    reader.RequireEnd();
                    Notes = notes;
                    return;
                default:
                    throw reader.Damaged($"is of the unknown kind {(uint)kind}");
            }
        }
    }
}
