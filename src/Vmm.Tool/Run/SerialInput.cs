using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>Carries standard input to the guest's serial port on a thread of its own.</summary>
internal sealed class SerialInput : IDisposable
{
    private const byte Escape = 1; // Ctrl-A
    private readonly Stream _source;
    private readonly Machine _machine;
    private readonly bool _interactive;
    private readonly Action _leave;
    private readonly Action _save;
    private readonly CancellationTokenSource _ending = new();
    private bool _escaped;

    public SerialInput(Stream source, Machine machine, bool interactive, Action leave, Action save)
    {
        _source = source;
        _machine = machine;
        _interactive = interactive;
        _leave = leave;
        _save = save;
        // A read of standard input cannot be taken back: the thread ends with the process.
        new Thread(Pump) { IsBackground = true, Name = "vmm serial input" }.Start();
    }

    /// <summary>The user pressed Ctrl-A X.</summary>
    public bool LeftByUser { get; private set; }

    public void Dispose() => _ending.Cancel();

    private void Pump()
    {
        byte[] buffer = new byte[256];
        byte[] typed = new byte[256];
        try
        {
            while (!_ending.IsCancellationRequested)
            {
                int count = _source.Read(buffer);
                if (count <= 0)
                    return;
                int length = _interactive ? Filter(buffer.AsSpan(0, count), typed) : count;
                ReadOnlyMemory<byte> data = (_interactive ? typed : buffer).AsMemory(0, length);
                _machine.ReceiveAsync(data, _ending.Token).AsTask().GetAwaiter().GetResult();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The run ended, or the input did.
        }
    }

    // Ctrl-A X leaves; Ctrl-A S saves; Ctrl-A Ctrl-A is one Ctrl-A for the guest.
    private int Filter(ReadOnlySpan<byte> keys, Span<byte> typed)
    {
        int length = 0;
        foreach (byte key in keys)
        {
            if (_escaped)
            {
                _escaped = false;
                if (key is (byte)'x' or (byte)'X')
                {
                    LeftByUser = true;
                    _leave();
                    continue;
                }
                if (key is (byte)'s' or (byte)'S')
                {
                    _save();
                    continue;
                }
                typed[length++] = key;
            }
            else if (key == Escape)
            {
                _escaped = true;
            }
            else
            {
                typed[length++] = key;
            }
        }
        return length;
    }
}
