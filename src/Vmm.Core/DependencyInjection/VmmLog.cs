using Microsoft.Extensions.Logging;

namespace Vmm;

/// <summary>What the choice of a backend logs.</summary>
internal static partial class VmmLog
{
    [LoggerMessage(1020, LogLevel.Information, "Using the {Backend} backend")]
    public static partial void BackendChosen(ILogger logger, string backend);

    [LoggerMessage(1021, LogLevel.Information, "Skipped the {Backend} backend, {Result}")]
    public static partial void BackendSkipped(ILogger logger, string backend, ProbeResult result);
}
