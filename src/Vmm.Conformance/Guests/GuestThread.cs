namespace Vmm.Conformance;

/// <summary>Something that a case does on another thread: usually a run.</summary>
public sealed class GuestThread
{
    private readonly Thread _thread;
    private Exception? _error;

    internal GuestThread(string name, Action action)
    {
        _thread = new Thread(() => Execute(action)) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Name, as error messages may quote it.</summary>
    public string Name => _thread.Name ?? "";

    /// <summary>Managed thread id.</summary>
    public int Id => _thread.ManagedThreadId;

    /// <summary>It has ended.</summary>
    public bool Ended => !_thread.IsAlive;

    /// <summary>What it threw, once it has ended.</summary>
    public Exception? Error => Volatile.Read(ref _error);

    /// <summary>Waits until it ends, fails if it does not, and throws what it threw.</summary>
    public void Join(string what, int milliseconds = 5000)
    {
        WaitForEnd(what, milliseconds);
        if (Error is { } error)
            throw new ConformanceFailureException($"{what}: {error.GetType().Name}: {error.Message}", error);
    }

    /// <summary>Waits until it ends and fails if it does not.</summary>
    public void WaitForEnd(string what, int milliseconds = 5000)
    {
        if (!_thread.Join(milliseconds))
            Verify.Fail($"{what}: not finished after {milliseconds} ms.");
    }

    private void Execute(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // handed to the thread that joins
        catch (Exception error)
#pragma warning restore CA1031
        {
            Volatile.Write(ref _error, error);
        }
    }
}
