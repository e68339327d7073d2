namespace Vmm.Debugging.Protocol;

/// <summary>What a session waits for.</summary>
internal enum SessionEvent
{
    /// <summary>Something came from the debugger.</summary>
    Input,

    /// <summary>A processor stopped the guest.</summary>
    Stop,

    /// <summary>The guest has ended.</summary>
    Exit,

    /// <summary>The debugger is gone, or the server closes.</summary>
    Closed,
}

/// <summary>
/// Brings what comes from the debugger and from the guest to the one thread of a session. Holds a bounded number of packets.
/// </summary>
internal sealed class SessionQueue
{
    private const int MostInputs = 16;

    private readonly object _gate = new();
    private readonly Queue<PacketInput> _inputs = [];
    private bool _stop;
    private bool _exit;
    private bool _closed;

    /// <summary>Adds what came in; waits while there is too much. False: nobody listens any more.</summary>
    public bool Add(in PacketInput input)
    {
        lock (_gate)
        {
            while (_inputs.Count >= MostInputs && !_closed)
                Monitor.Wait(_gate);
            if (_closed)
                return false;
            _inputs.Enqueue(input);
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>A processor stopped the guest. Does not wait.</summary>
    public void PostStop() => Post(ref _stop);

    /// <summary>The guest has ended. Does not wait.</summary>
    public void PostExit() => Post(ref _exit);

    /// <summary>Nothing comes any more. What has come is still taken.</summary>
    public void Close() => Post(ref _closed);

    /// <summary>Waits for the next event; those of the guest come first.</summary>
    public SessionEvent Take(out PacketInput input)
    {
        lock (_gate)
        {
            input = default;
            while (true)
            {
                if (_stop)
                {
                    _stop = false;
                    return SessionEvent.Stop;
                }
                if (_exit)
                {
                    _exit = false;
                    return SessionEvent.Exit;
                }
                if (_inputs.TryDequeue(out input))
                {
                    Monitor.PulseAll(_gate);
                    return SessionEvent.Input;
                }
                if (_closed)
                    return SessionEvent.Closed;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Post(ref bool flag)
    {
        lock (_gate)
        {
            flag = true;
            Monitor.PulseAll(_gate);
        }
    }
}
