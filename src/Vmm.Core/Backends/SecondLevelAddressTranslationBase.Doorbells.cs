namespace Vmm;

public abstract partial class SecondLevelAddressTranslationBase
{
    private volatile DoorbellEntry[] _doorbells = [];

    /// <inheritdoc/>
    public IDisposable RegisterDoorbell(in Doorbell doorbell, EventWaitHandle signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        _partition.ThrowIfDisposed();
        _partition.Capabilities.Require(Capability.Doorbells);
        if (doorbell.Size is not (0 or 1 or 2 or 4 or 8))
            throw new ArgumentOutOfRangeException(nameof(doorbell), doorbell.Size, "The size of a doorbell is 1, 2, 4 or 8 bytes, or 0 for any.");
        DoorbellEntry entry = new(this, doorbell, signal);
        lock (_change)
        {
            foreach (DoorbellEntry other in _doorbells)
            {
                if (other.Doorbell == doorbell)
                    throw new ArgumentException($"There is a doorbell at 0x{doorbell.Address:X} with that size and value already.", nameof(doorbell));
            }
            RegisterDoorbellCore(in doorbell, signal);
            _doorbells = [.. _doorbells, entry];
        }
        return entry;
    }

    /// <summary>Tells the platform; backends that look at <see cref="TryRing"/> themselves need not override it.</summary>
    protected virtual void RegisterDoorbellCore(in Doorbell doorbell, EventWaitHandle signal)
    {
    }

    /// <summary>Tells the platform that a doorbell is gone.</summary>
    protected virtual void UnregisterDoorbellCore(in Doorbell doorbell)
    {
    }

    /// <summary>
    /// Signals the doorbell that a store rings, if there is one. No allocation; for backends that see every store to unmapped memory.
    /// </summary>
    protected internal bool TryRing(ulong address, int size, ulong value)
    {
        foreach (DoorbellEntry entry in _doorbells)
        {
            Doorbell doorbell = entry.Doorbell;
            if (doorbell.Address == address && (doorbell.Size == 0 || doorbell.Size == size) && (doorbell.Value is not { } wanted || wanted == value))
            {
                entry.Signal.Set();
                return true;
            }
        }
        return false;
    }

    private sealed class DoorbellEntry(SecondLevelAddressTranslationBase owner, Doorbell doorbell, EventWaitHandle signal) : IDisposable
    {
        public Doorbell Doorbell { get; } = doorbell;

        public EventWaitHandle Signal { get; } = signal;

        public void Dispose()
        {
            lock (owner._change)
            {
                if (!owner._doorbells.Contains(this))
                    return;
                owner._doorbells = [.. owner._doorbells.Where(e => e != this)];
                owner.UnregisterDoorbellCore(Doorbell);
            }
        }
    }
}
