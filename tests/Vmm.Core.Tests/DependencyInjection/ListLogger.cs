using Microsoft.Extensions.Logging;

namespace Vmm.Core.Tests.DependencyInjection;

/// <summary>A logger factory whose loggers write into one list.</summary>
internal sealed class ListLogger : ILoggerFactory, ILogger
{
    internal List<string> Lines { get; } = [];

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

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add($"{eventId.Id} {logLevel} {formatter(state, exception)}");
}
