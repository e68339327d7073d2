using Microsoft.Extensions.Logging;

namespace Vmm.Machines;

/// <summary>What a machine logs: nothing that a guest could repeat at will.</summary>
internal static partial class MachineLog
{
    [LoggerMessage(5000, LogLevel.Debug, "Machine made on the {Backend} backend: {Memory} bytes of RAM, {Processors} processor(s)")]
    public static partial void Made(ILogger logger, string backend, ulong memory, int processors);

    [LoggerMessage(5001, LogLevel.Information, "The machine runs")]
    public static partial void RunStarted(ILogger logger);

    [LoggerMessage(5002, LogLevel.Information, "The machine's run has ended: {Outcome}")]
    public static partial void RunEnded(ILogger logger, MachineOutcome outcome);

    [LoggerMessage(5003, LogLevel.Error, "The machine's run has failed in the monitor itself")]
    public static partial void RunFailed(ILogger logger, Exception exception);

    [LoggerMessage(5004, LogLevel.Information, "The machine has been saved: {Memory} bytes of RAM in {Elapsed}")]
    public static partial void Saved(ILogger logger, ulong memory, TimeSpan elapsed);

    [LoggerMessage(5005, LogLevel.Information, "The machine has been restored: {Memory} bytes of RAM in {Elapsed}")]
    public static partial void Restored(ILogger logger, ulong memory, TimeSpan elapsed);

    [LoggerMessage(5006, LogLevel.Information, "Pressing the machine's power button; its guest has {Patience} to shut down")]
    public static partial void PowerButton(ILogger logger, TimeSpan patience);

    [LoggerMessage(5007, LogLevel.Information, "Ending the machine's run: its guest does not listen to the power button")]
    public static partial void NobodyListens(ILogger logger);

    [LoggerMessage(5008, LogLevel.Warning, "Ending the machine's run: its guest did not shut down in time")]
    public static partial void OutOfPatience(ILogger logger);
}
