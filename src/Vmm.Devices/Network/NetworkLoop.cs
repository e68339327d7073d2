using System.Threading.Channels;

namespace Vmm.Devices;

/// <summary>
/// Does the work of a <see cref="UserNetwork"/> one piece after the other, so that nothing in it needs a lock: frames from the guest, news
/// from sockets, and a tick.
/// </summary>
internal sealed class NetworkLoop : IDisposable
{
    private const int MostFrames = 1024;

    private readonly Channel<(byte[]? Frame, Action? Action)> _work =
        Channel.CreateUnbounded<(byte[]? Frame, Action? Action)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Action<byte[]> _takeFrame;
    private readonly Task _task;
    private int _frames;

    public NetworkLoop(Action<byte[]> takeFrame)
    {
        _takeFrame = takeFrame;
        _task = Task.Run(WorkAsync);
    }

    /// <summary>Takes a frame of the guest; drops it when too many wait.</summary>
    public void Post(ReadOnlySpan<byte> frame)
    {
        if (Interlocked.Increment(ref _frames) > MostFrames || !_work.Writer.TryWrite((frame.ToArray(), null)))
            Interlocked.Decrement(ref _frames);
    }

    /// <summary>Takes something to do; dropped after the end.</summary>
    public void Post(Action action) => _work.Writer.TryWrite((null, action));

    /// <summary>Ends the loop and waits for what it is doing, unless called from it.</summary>
    public void Dispose()
    {
        _work.Writer.TryComplete();
        _task.Wait();
    }

    private async Task WorkAsync()
    {
        await foreach ((byte[]? frame, Action? action) in _work.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (frame is not null)
            {
                Interlocked.Decrement(ref _frames);
                _takeFrame(frame);
            }
            action?.Invoke();
        }
    }
}
