using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>What goes to the serial port of a deterministic machine: by script, and from the host, at times that are noted.</summary>
internal sealed class DeterministicInput(IReadOnlyList<TimedInput> script)
{
    private const int LongestPiece = 256;

    private readonly object _gate = new();
    private readonly Queue<(ReadOnlyMemory<byte> Data, TaskCompletionSource Taken)> _waiting = new();
    private readonly List<TimedInput> _log = [];
    private int _next;

    /// <summary>When the script goes on, in nanoseconds of the machine's clock; null = it is at its end.</summary>
    public long? NextTime => _next < script.Count ? script[_next].Time : null;

    /// <summary>What has been entered.</summary>
    public IReadOnlyList<TimedInput> Log
    {
        get
        {
            lock (_gate)
                return [.. _log];
        }
    }

    /// <summary>Bytes from the host; they are entered at the next turn, which is noted. Any thread.</summary>
    public async ValueTask ReceiveAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            int length = Math.Min(data.Length, LongestPiece);
            TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                _waiting.Enqueue((data[..length].ToArray(), taken));
                Monitor.PulseAll(_gate);
            }
            await taken.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            data = data[length..];
        }
    }

    /// <summary>Enters what is due.</summary>
    public void EnterDue(Uart16550 port, long now)
    {
        while (_next < script.Count && script[_next].Time <= now)
            Enter(port, now, script[_next++].Data);
        if (_waiting.Count == 0)
            return;
        lock (_gate)
        {
            while (_waiting.TryPeek(out (ReadOnlyMemory<byte> Data, TaskCompletionSource Taken) input))
            {
                if (input.Data.Length > port.Room)
                    return;
                _waiting.Dequeue();
                Enter(port, now, input.Data);
                input.Taken.SetResult();
            }
        }
    }

    /// <summary>Blocks until the host has sent something, or something else has ended.</summary>
    public void WaitForHost(Func<bool> hasEnded)
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !hasEnded())
                Monitor.Wait(_gate);
        }
    }

    /// <summary>Lets whoever waits look again.</summary>
    public void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private void Enter(Uart16550 port, long now, ReadOnlyMemory<byte> data)
    {
        lock (_gate)
            _log.Add(new(now, data));
        port.Receive(data.Span);
    }
}
