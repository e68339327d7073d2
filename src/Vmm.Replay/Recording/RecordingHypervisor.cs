namespace Vmm.Replay;

/// <summary>
/// A backend in front of another one that records everything which the host does to the guest at the exit boundary: answers to port,
/// memory-mapped I/O, MSR and CPUID exits, events and when they entered, time, memory that the host or a device wrote, rights and mappings.
/// <see cref="Replayer"/> repeats the guest's run from it, to the instruction, without devices.
/// </summary>
/// <remarks>
/// <para>
/// Time is counted in instructions behind it (<see cref="Capability.VirtualTime"/>), so that each event has an exact place. A client that
/// asks for <see cref="PartitionOptions.VirtualTime"/> drives the time itself; for every other client the time follows the host's: it is
/// moved forward to it whenever the guest can be asked to stop, which is recorded too. Such a client sees an ordinary partition, with live
/// devices, input and network, whose processors take turns.
/// </para>
/// <para>
/// What a client writes straight into a <see cref="GuestMemory"/> while the guest runs is recorded when
/// <see cref="ISecondLevelAddressTranslation.NotifyWritten"/> tells of it. Windows for writing
/// (<see cref="ISecondLevelAddressTranslation.TryGetSpan"/>) are copies where the time is the host's; what was written there reaches the
/// guest at that call.
/// </para>
/// </remarks>
public sealed class RecordingHypervisor : IHypervisor, IDisposable
{
    private readonly IHypervisor _inner;
    private readonly OperationWriter _writer;
    private readonly List<(string Name, string Text)> _notes = [];
    private RecordingPartition? _partition;
    private bool _isFinished;

    /// <summary>Records the one partition that will be made to a file.</summary>
    /// <param name="inner">The backend behind.</param>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <exception cref="NotSupportedException">The backend cannot count time in instructions.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public RecordingHypervisor(IHypervisor inner, string path)
        : this(inner, new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1), false)
    {
    }

    /// <summary>As the other one, to a stream.</summary>
    /// <param name="inner">The backend behind.</param>
    /// <param name="stream">Where to, front to back.</param>
    /// <param name="leaveOpen">The stream stays open.</param>
    public RecordingHypervisor(IHypervisor inner, Stream stream, bool leaveOpen = true)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(stream);
        try
        {
            inner.Capabilities.Require(Capability.VirtualTime);
        }
        catch (NotSupportedException)
        {
            if (!leaveOpen)
                stream.Dispose();
            throw;
        }
        _inner = inner;
        _writer = new OperationWriter(stream, leaveOpen);
    }

    /// <inheritdoc/>
    public string Name => _inner.Name;

    /// <inheritdoc/>
    public HypervisorCapabilities Capabilities => _inner.Capabilities;

    /// <summary>Makes the partition that is recorded; once.</summary>
    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It has been made: a recording holds one.</exception>
    public IPartition CreatePartition(PartitionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (_partition is not null)
            throw new InvalidOperationException("A recording holds one partition: make a new recorder for another.");
        return _partition = new RecordingPartition(this, _inner, options, _writer);
    }

    /// <summary>Adds a note to the recording, for whoever replays it. Any thread, until the partition is disposed.</summary>
    /// <param name="name">What it is about.</param>
    /// <param name="text">What it says, at most some kilobytes.</param>
    public void AddNote(string name, string text)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(text);
        lock (_notes)
            _notes.Add((name, text));
    }

    /// <summary>
    /// Ends the recording, and the partition if that is not disposed yet. Without it, or the partition's own disposal, the recording stays
    /// without end and is refused.
    /// </summary>
    public void Dispose()
    {
        _partition?.Dispose();
        _writer.Dispose();
    }

    /// <summary>Writes what comes last.</summary>
    internal void Finish()
    {
        if (_isFinished)
            return;
        _isFinished = true;
        _writer.EndChunk(RecordingChunkKind.Operations);
        lock (_notes)
        {
            foreach ((string name, string text) in _notes)
            {
                _writer.Text(name);
                _writer.Text(text);
                _writer.EndChunk(RecordingChunkKind.Note);
            }
        }
        _writer.EndChunk(RecordingChunkKind.End);
        _writer.Flush();
    }
}
