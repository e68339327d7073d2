namespace Vmm;

/// <summary>
/// Stands between a run and its processors and decides when each may be in guest code, as a debugger does. The run calls
/// <see cref="Begin"/>, then <see cref="Run"/> on each processor's thread in place of <see cref="VirtualProcessorLoop.Run()"/>, and
/// <see cref="End"/> when it is to end.
/// </summary>
public interface IProcessorController
{
    /// <summary>A run of all processors begins.</summary>
    void Begin();

    /// <summary>
    /// Runs a processor as its loop would, deals with exits of its own, and holds the thread outside of guest code for as long as it likes.
    /// Called by each processor's thread.
    /// </summary>
    /// <param name="loop">The processor's loop.</param>
    /// <returns>An exit for the run; <see cref="ExitKind.Cancelled"/> soon after <see cref="End"/>.</returns>
    VpExit Run(VirtualProcessorLoop loop);

    /// <summary>The run is to end: no thread is held any longer. Any thread may call it, more than once.</summary>
    void End();
}
