using System.Collections.Immutable;

namespace Vmm.Machines;

/// <summary>A saved machine that is being read: first what it is made of, then, once, all of its state.</summary>
/// <remarks>
/// The file may come from anywhere: whatever its bytes are, reading ends with a machine or with a <see cref="SavedStateException"/>, in
/// memory bounded by the RAM of the machine. The content of disks is not part of it.
/// </remarks>
public sealed class SavedMachine : IDisposable
{
    private const int MostDevices = 1000;

    private readonly Stream _stream;
    private readonly ChunkReader _chunks;
    private bool _isRead;

    /// <summary>Begins to read.</summary>
    /// <param name="stream">The saved machine; disposed with this.</param>
    /// <exception cref="SavedStateException">It is not a saved machine, or damaged.</exception>
    public SavedMachine(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _chunks = new ChunkReader(stream);
        if (_chunks.Read(out ReadOnlyMemory<byte> payload) != ChunkKind.Machine)
            throw new SavedStateException("The saved machine is damaged: it does not say what it is made of.");
        Description = SavedMachineDescription.ReadFrom(payload.Span);
    }

    /// <summary>What it is made of.</summary>
    public SavedMachineDescription Description { get; }

    /// <summary>Begins to read a file.</summary>
    /// <exception cref="SavedStateException">It is not a saved machine, or damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static SavedMachine Open(string path)
    {
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        try
        {
            return new SavedMachine(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    /// <summary>Reads the rest: pages into RAM, all else returned.</summary>
    internal (ImmutableArray<ProcessorSnapshot> Processors, ImmutableArray<DeviceState> Devices) ReadState(
        GuestMemory memory, IProgress<SaveProgress>? progress)
    {
        if (_isRead)
            throw new InvalidOperationException("The saved machine has been read: open it again.");
        _isRead = true;
        ImmutableArray<ProcessorSnapshot>.Builder processors = ImmutableArray.CreateBuilder<ProcessorSnapshot>();
        ImmutableArray<DeviceState>.Builder devices = ImmutableArray.CreateBuilder<DeviceState>();
        byte[] pages = new byte[SavedMachineFormat.PieceSize];
        ulong next = 0;
        ChunkKind last = ChunkKind.Machine;
        while (true)
        {
            ChunkKind kind = _chunks.Read(out ReadOnlyMemory<byte> payload);
            if (kind < last)
                throw new SavedStateException("The saved machine is damaged: its parts are out of order.");
            last = kind;
            StateReader reader = new(payload.Span);
            switch (kind)
            {
                case ChunkKind.Processor when processors.Count < Description.ProcessorCount:
                    processors.Add(ReadProcessor(ref reader));
                    break;
                case ChunkKind.Device when devices.Count < MostDevices:
                    devices.Add(StateCodec.ReadDevice(ref reader));
                    reader.RequireEnd();
                    break;
                case ChunkKind.Memory:
                    MemoryPieces.Read(payload.Span, memory, pages, ref next);
                    if (next < memory.Length)
                        progress?.Report(new(next, memory.Length));
                    break;
                case ChunkKind.End:
                    _chunks.RequireEnd();
                    progress?.Report(new(memory.Length, memory.Length));
                    return (processors.ToImmutable(), devices.ToImmutable());
                default:
                    throw new SavedStateException($"The saved machine has a part of kind {(uint)kind}, which is not known here or not expected there.");
            }
        }
    }

    private static ProcessorSnapshot ReadProcessor(ref StateReader reader)
    {
        ImmutableArray<ElementState> elements = StateCodec.ReadElements(ref reader);
        reader.RequireEnd();
        try
        {
            return new ProcessorSnapshot(elements);
        }
        catch (ArgumentException e)
        {
            throw new SavedStateException($"The saved machine is damaged: {e.Message}", e);
        }
    }
}
