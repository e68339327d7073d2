using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace Vmm.Differential.Native;

/// <summary>
/// The native program in a process of its own, and the file it shares with this one. Two batches, so that one can be filled or compared
/// while
/// the other runs. A case that hangs costs the process: it is killed, the case is marked and the rest of the batch runs in a new one.
/// </summary>
// SAFETY: pointers lead into the mapped file, whose length is fixed, and stay valid until Dispose releases them.
internal sealed unsafe class NativeProcess : IDisposable
{
    /// <summary>Signal number of a case that never ended.</summary>
    public const ulong Hung = ulong.MaxValue;

    private readonly string _directory;
    private readonly string _program, _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _base;
    private readonly Timer _watch;
    private readonly Lock _lock = new();
    private Process? _process;
    private int _batch;
    private bool _running;
    private ulong _lastIndex;

    /// <param name="readOnlyPage">Content of the page that cases may only read.</param>
    /// <param name="patience">How long a case may show no progress: it is given up after one to two times this; 4 s if not said.</param>
    public NativeProcess(ReadOnlySpan<byte> readOnlyPage, TimeSpan? patience = null)
    {
        TimeSpan interval = patience ?? TimeSpan.FromSeconds(4);
        _directory = Directory.CreateTempSubdirectory("vmm-differential-").FullName;
        _program = Path.Combine(_directory, "cases");
        File.WriteAllBytes(_program, NativeProgram.Build());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string memory = Directory.Exists("/dev/shm") ? "/dev/shm" : _directory;
        _file = Path.Combine(memory, Path.GetFileName(_directory) + ".batch");
        _map = MemoryMappedFile.CreateFromFile(_file, FileMode.Create, null, CaseLayout.FileLength);
        _view = _map.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
        readOnlyPage.CopyTo(new Span<byte>(_base + CaseLayout.ReadOnlyOffset, CaseLayout.ReadOnlyLength));
        _watch = new Timer(_ => Watch(), null, interval, interval);
        Start();
    }

    /// <summary>A record of a batch.</summary>
    public byte* Record(int batch, int index) =>
        _base + CaseLayout.BatchesOffset + ((long)batch * CaseLayout.BatchLength) + ((long)index * CaseLayout.RecordLength);

    /// <summary>Lets the native program run a batch; <see cref="Wait"/> must follow before the next.</summary>
    public void Submit(int batch, int count)
    {
        Index = 0;
        *(ulong*)(_base + CaseLayout.ControlCountOffset) = (ulong)count;
        Send(batch);
    }

    /// <summary>Waits for the batch to be done; cases that hung are marked.</summary>
    public void Wait()
    {
        while (!AwaitByte())
        {
            ulong hung = Index, count = *(ulong*)(_base + CaseLayout.ControlCountOffset);
            *(ulong*)(Record(_batch, (int)hung) + CaseLayout.AnswerSignalOffset) = Hung;
            Start();
            Index = hung + 1;
            if (hung + 1 == count)
                return;
            Send(_batch);
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        Stop();
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        File.Delete(_file);
        Directory.Delete(_directory, true);
    }

    private ref ulong Index => ref *(ulong*)(_base + CaseLayout.ControlIndexOffset);

    private void Send(int batch)
    {
        lock (_lock)
        {
            _batch = batch;
            _lastIndex = ulong.MaxValue;
            _running = true;
        }

        _process!.StandardInput.BaseStream.WriteByte((byte)batch);
        _process.StandardInput.BaseStream.Flush();
    }

    private bool AwaitByte()
    {
        int answer = _process!.StandardOutput.BaseStream.ReadByte();
        lock (_lock)
            _running = false;
        return answer >= 0;
    }

    private void Start()
    {
        Stop();
        ProcessStartInfo start = new(_program, [_file]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start) ?? throw new IOException("the native program did not start");
        lock (_lock)
            _process = process;
        if (!AwaitByte())
            throw new IOException($"the native program ended before it was ready, with status {process.ExitCode}");
    }

    private void Stop()
    {
        lock (_lock)
        {
            if (_process == null)
                return;
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
            _process = null;
        }
    }

    // No progress between two looks: the case hangs.
    private void Watch()
    {
        lock (_lock)
        {
            if (!_running || _process == null)
                return;
            ulong index = Volatile.Read(ref Index);
            if (index == _lastIndex)
            {
                _running = false;
                _process.Kill();
            }

            _lastIndex = index;
        }
    }
}
