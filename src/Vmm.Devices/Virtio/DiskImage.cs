using Microsoft.Win32.SafeHandles;

namespace Vmm.Devices;

/// <summary>A file that holds a disk's sectors, one after the other ("raw").</summary>
/// <remarks>Members may be called from any thread. While it is open for writing no other disk image has the file open.</remarks>
public sealed class DiskImage : IDisposable
{
    /// <summary>Bytes of a sector.</summary>
    public const int SectorSize = 512;

    private readonly SafeFileHandle _file;

    private DiskImage(string path, SafeFileHandle file, long length, bool isReadOnly)
    {
        Path = path;
        _file = file;
        Length = length;
        IsReadOnly = isReadOnly;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Bytes, a multiple of <see cref="SectorSize"/>, fixed when it was opened.</summary>
    public long Length { get; }

    /// <summary>Whether writes are refused.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isReadOnly">Only read it.</param>
    /// <exception cref="IOException">It cannot be opened: missing, in use, or no file.</exception>
    /// <exception cref="UnauthorizedAccessException">The host does not permit it.</exception>
    /// <exception cref="InvalidDataException">Its length is 0 or not a multiple of <see cref="SectorSize"/>.</exception>
    public static DiskImage Open(string path, bool isReadOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle file = File.OpenHandle(
            path, FileMode.Open, isReadOnly ? FileAccess.Read : FileAccess.ReadWrite, isReadOnly ? FileShare.Read : FileShare.None);
        try
        {
            long length = RandomAccess.GetLength(file);
            if (length == 0 || length % SectorSize != 0)
                throw new InvalidDataException($"A disk's length is a multiple of {SectorSize} bytes above 0, and '{path}' has {length}.");
            return new DiskImage(path, file, length, isReadOnly);
        }
        catch (NotSupportedException e)
        {
            file.Dispose();
            throw new IOException($"'{path}' is not a file with a length.", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a range inside the disk.</summary>
    /// <exception cref="IOException">The host failed, or the file has become shorter.</exception>
    internal void Read(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(_file, destination, offset);
            if (read == 0)
                throw new EndOfStreamException($"'{Path}' has become shorter than the disk in it.");
            destination = destination[read..];
            offset += read;
        }
    }

    /// <summary>Writes a range inside the disk.</summary>
    /// <exception cref="IOException">The host failed.</exception>
    internal void Write(long offset, ReadOnlySpan<byte> source) => RandomAccess.Write(_file, source, offset);

    /// <summary>Puts what was written onto the medium; when it returns, the data outlives the host's power.</summary>
    /// <exception cref="IOException">The host failed.</exception>
    internal void Flush() => RandomAccess.FlushToDisk(_file);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
