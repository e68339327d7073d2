namespace Vmm;

/// <summary>A file that takes what a guest sends. One that cannot be written any more ends the output, not the guest.</summary>
internal sealed class SerialFile(string path, bool append) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _file = new(path, append ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.Read, 1);
    private bool _closed;

    internal void Write(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            try
            {
                _file.Write(data);
            }
            catch (IOException)
            {
                _closed = true;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _file.Dispose();
        }
    }
}
