using System.Diagnostics;
using Vmm.Devices;

namespace Vmm.Machines;

public sealed partial class Machine
{
    private TaskCompletionSource<MachineOutcome?>? _runEnd;

    /// <summary>
    /// Ends the run as a user would: presses the power button, waits for the guest to shut down, and takes the power away when that takes
    /// too long. A guest that does not listen to the button, or has none, loses its power at once. Returns when the run has ended.
    /// </summary>
    /// <param name="patience">How long the guest may take; <see cref="Timeout.InfiniteTimeSpan"/> for as long as it likes.</param>
    /// <param name="time">Measures the patience; null = the host's time.</param>
    /// <param name="cancellationToken">Ends the patience, not the stopping: the run is ended in any case.</param>
    /// <returns>
    /// How the run ended: <see cref="MachineOutcomeKind.Cancelled"/> when it was made to, after which it may go on. Null where nothing ran,
    /// or the run came to an exception, which <see cref="RunAsync"/> gives its caller.
    /// </returns>
    /// <remarks>May be called from any thread, also several times at once.</remarks>
    public async Task<MachineOutcome?> ShutDownAsync(TimeSpan patience, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        MachineRunBase? run;
        Task<MachineOutcome?>? end;
        lock (_gate)
        {
            run = _run;
            end = _runEnd?.Task;
        }
        if (run is null || end is null)
            return null;
        using Activity? activity = MachineActivities.Stop(Partition.Capabilities.Backend, MemoryMap.Size);
        if (PowerManagement is { IsPowerButtonEnabled: true } power)
        {
            MachineLog.PowerButton(_logger, patience);
            power.PressPowerButton();
            if (await EndsWithinAsync(end, patience, time ?? TimeProvider.System, cancellationToken).ConfigureAwait(false))
                return await end.ConfigureAwait(false);
            MachineLog.OutOfPatience(_logger);
        }
        else
        {
            MachineLog.NobodyListens(_logger);
        }
        // It waits for the processors' threads.
        await Task.Run(run.Stop, CancellationToken.None).ConfigureAwait(false);
        return await end.ConfigureAwait(false);
    }

    private static async Task<bool> EndsWithinAsync(Task end, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await end.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }
}
