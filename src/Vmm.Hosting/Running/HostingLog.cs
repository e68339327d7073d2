using Microsoft.Extensions.Logging;

namespace Vmm;

/// <summary>What a host says of its machines.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(6000, LogLevel.Information, "Starting the machine {Machine} on the {Backend} backend")]
    public static partial void Starting(ILogger logger, string machine, string backend);

    [LoggerMessage(6001, LogLevel.Information, "The machine {Machine} has ended: {Outcome}")]
    public static partial void Ended(ILogger logger, string machine, string outcome);

    [LoggerMessage(6002, LogLevel.Error, "The machine {Machine} has failed: {Reason}")]
    public static partial void Failed(ILogger logger, string machine, string reason, Exception? exception);

    [LoggerMessage(6003, LogLevel.Information, "Starting the machine {Machine} again, for the {Start}. time")]
    public static partial void StartingAgain(ILogger logger, string machine, int start);

    [LoggerMessage(6004, LogLevel.Information, "Stopping {Count} machine(s)")]
    public static partial void Stopping(ILogger logger, int count);

    [LoggerMessage(6005, LogLevel.Information, "All machines have ended: stopping the host")]
    public static partial void AllEnded(ILogger logger);

    [LoggerMessage(6006, LogLevel.Information, "{Machine}: {Line}")]
    public static partial void Line(ILogger logger, string machine, string line);

    [LoggerMessage(6007, LogLevel.Warning, "{Machine}: {Count} line(s) of its serial port were left out, there were too many")]
    public static partial void LinesDropped(ILogger logger, string machine, long count);
}
