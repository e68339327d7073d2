using Microsoft.Extensions.Logging;

namespace Vmm;

/// <summary>What the base classes log. Nothing here happens per exit.</summary>
internal static partial class BackendLog
{
    [LoggerMessage(1001, LogLevel.Debug, "{Backend}: partition created with {Processors} processor(s)")]
    public static partial void PartitionCreated(ILogger logger, string backend, int processors);

    [LoggerMessage(1002, LogLevel.Debug, "{Backend}: partition disposed")]
    public static partial void PartitionDisposed(ILogger logger, string backend);

    [LoggerMessage(1003, LogLevel.Debug, "{Backend}: {Operation} 0x{Address:X} + 0x{Length:X} {Access}")]
    public static partial void MemoryChanged(ILogger logger, string backend, string operation, ulong address, ulong length, GuestAccess access);

    [LoggerMessage(1004, LogLevel.Warning, "{Backend}: processor {Index} stopped for good: {Kind}")]
    public static partial void ProcessorStopped(ILogger logger, string backend, int index, ExitKind kind);
}
