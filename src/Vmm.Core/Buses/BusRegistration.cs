namespace Vmm;

/// <summary>Takes a range off its bus when disposed, once.</summary>
internal sealed class BusRegistration(Action<BusRegistration> remove) : IDisposable
{
    private Action<BusRegistration>? _remove = remove;

    public void Dispose() => Interlocked.Exchange(ref _remove, null)?.Invoke(this);
}
