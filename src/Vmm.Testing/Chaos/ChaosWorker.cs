using System.Diagnostics;

namespace Vmm.Testing;

/// <summary>One thread that does things a little later, in the order of their times.</summary>
internal sealed class ChaosWorker : IDisposable
{
    private readonly PriorityQueue<Action, long> _queue = new();
    private readonly object _gate = new();
    private readonly Thread _thread;
    private bool _isDisposed;

    public ChaosWorker()
    {
        _thread = new Thread(Work) { IsBackground = true, Name = "vmm chaos" };
        _thread.Start();
    }

    /// <summary>Does something after a time; not any more once disposed.</summary>
    public void Later(TimeSpan delay, Action action)
    {
        lock (_gate)
        {
            _queue.Enqueue(action, Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency));
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the thread, without waiting for it: it may be the one that disposes.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _queue.Clear();
            Monitor.Pulse(_gate);
        }
    }

    private void Work()
    {
        while (Next() is { } action)
        {
            try
            {
                action();
            }
            catch (ObjectDisposedException)
            {
                // The partition went away in the meantime.
            }
        }
    }

    private Action? Next()
    {
        lock (_gate)
        {
            while (!_isDisposed)
            {
                if (!_queue.TryPeek(out _, out long due))
                {
                    Monitor.Wait(_gate);
                    continue;
                }
                TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (rest <= TimeSpan.Zero)
                    return _queue.Dequeue();
                if (rest < TimeSpan.FromMilliseconds(1))
                {
                    // Too short to sleep: others may come in meanwhile.
                    Monitor.Exit(_gate);
                    Thread.Yield();
                    Monitor.Enter(_gate);
                    continue;
                }
                Monitor.Wait(_gate, rest);
            }
            return null;
        }
    }
}
