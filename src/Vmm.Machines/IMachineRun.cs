namespace Vmm.Machines;

/// <summary>One run of a machine.</summary>
internal interface IMachineRun : IDisposable
{
    /// <summary>Runs until the guest ends the run or the token does.</summary>
    Task<MachineOutcome> RunAsync(CancellationToken cancellationToken);

    /// <summary>Ends the run and waits for its threads, except the calling one.</summary>
    void Stop();
}
