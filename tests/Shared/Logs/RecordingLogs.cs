using Microsoft.Extensions.Logging;

namespace Vmm.Tests;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLogs : ILoggerFactory, ILogger
{
    private readonly List<(int Id, string Text)> _events = [];

    /// <summary>Identifiers of the events.</summary>
    public IReadOnlyList<int> Ids => [.. Events.Select(logged => logged.Id)];

    /// <summary>Events as lines that begin with the identifier.</summary>
    public IReadOnlyList<string> Lines => [.. Events.Select(logged => $"{logged.Id} {logged.Text}")];

    private (int Id, string Text)[] Events
    {
        get
        {
            lock (_events)
                return [.. _events];
        }
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_events)
            _events.Add((eventId.Id, formatter(state, exception)));
    }
}
