namespace Vmm.Conformance;

/// <summary>One case running on a thread of its own.</summary>
internal sealed class CaseAttempt
{
    private readonly ConformanceContext _context;
    private readonly Action<ConformanceContext> _body;
    private readonly Thread _thread;
    private volatile Exception? _error;
    private volatile string? _diagnostics;

    public CaseAttempt(ConformanceContext context, Action<ConformanceContext> body)
    {
        _context = context;
        _body = body;
        _thread = new Thread(Execute) { IsBackground = true, Name = "conformance case" };
        _thread.Start();
    }

    public Exception? Error => _error;

    public string? Diagnostics => _diagnostics;

    public bool Wait(TimeSpan timeout) => _thread.Join(timeout);

    private void Execute()
    {
#pragma warning disable CA1031 // whatever a backend throws is the result
        try
        {
            _body(_context);
        }
        catch (Exception error)
        {
            _error = error;
            if (error is not CaseSkippedException)
                _diagnostics = _context.Describe();
        }
        try
        {
            _context.DisposeAll();
        }
        catch (Exception error)
        {
            _error ??= new ConformanceFailureException($"Disposing after the case: {error.GetType().Name}: {error.Message}", error);
        }
#pragma warning restore CA1031
    }
}
