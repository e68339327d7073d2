namespace Vmm.Devices;

/// <summary>Where devices ask for a reset, power-off or debug exit. The first request is latched; the machine's loop looks at it.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public sealed class PowerControl
{
    private readonly Lock _gate = new();
    private PowerEvent? _pending;

    /// <summary>Raised by the first request, on the thread that made it (often a vCPU's, inside a device access): must not block.</summary>
    public event Action<PowerEvent>? Requested;

    /// <summary>The latched request, or null.</summary>
    public PowerEvent? Pending
    {
        get
        {
            lock (_gate)
                return _pending;
        }
    }

    /// <summary>Latches a request and raises <see cref="Requested"/>, unless one is latched already.</summary>
    /// <param name="request">What is asked for.</param>
    public void Request(PowerEvent request)
    {
        lock (_gate)
        {
            if (_pending is not null)
                return;
            _pending = request;
        }
        Requested?.Invoke(request);
    }

    /// <summary>Takes the latched request away, so that the next one is latched again.</summary>
    /// <returns>The request, or null.</returns>
    public PowerEvent? Take()
    {
        lock (_gate)
        {
            PowerEvent? request = _pending;
            _pending = null;
            return request;
        }
    }
}
