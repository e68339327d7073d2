using Vmm.Debugging.Registers;

namespace Vmm.Debugging.Control;

/// <summary>The guest as the debugger's sessions see it, one session at a time.</summary>
internal sealed class DebugTarget
{
    // A processor that is busy in a device for longer is shown as it is: its registers then cannot be read.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly GdbServerOptions _options;
    private bool _isTimeHeld;

    public DebugTarget(IPartition partition, GdbServerOptions options)
    {
        Partition = partition;
        _options = options;
        Processors = new AllStop(partition, options.StopsAtStart);
        Layout = new RegisterLayout(partition.Processors[0].XsaveSize);
    }

    public IPartition Partition { get; }

    public AllStop Processors { get; }

    public PointTable Points { get; } = new();

    public RegisterLayout Layout { get; }

    /// <summary>Processors run, or may.</summary>
    public bool IsRunning { get; private set; } = true;

    /// <summary>What the guest ended with; null while it has not.</summary>
    public int? ExitStatus { get; set; }

    /// <summary>A debugger has come: everything stops.</summary>
    public void Enter()
    {
        Processors.HasClient = true;
        Stop();
    }

    /// <summary>The debugger has gone: its points go and everything runs.</summary>
    public void Leave()
    {
        Processors.HasClient = false;
        Points.Clear();
        if (!Processors.HasEnded)
            Processors.Stop(s_patience);
        LetTimeGo();
        IsRunning = true;
        Processors.Release();
    }

    /// <summary>Stops all processors.</summary>
    /// <returns>What one of them stopped for by itself; null = nothing.</returns>
    public StopReport? Stop() => Stopped(Processors.Stop(s_patience));

    /// <summary>Waits until all have stopped after one did.</summary>
    public StopReport? AwaitStop() => Stopped(Processors.AwaitStop(s_patience));

    /// <summary>Lets processors go on.</summary>
    /// <returns>A stop that has yet to be reported; nothing runs then.</returns>
    /// <exception cref="NotSupportedException">The backend cannot step.</exception>
    public StopReport? Resume(IReadOnlyList<ResumeAction> actions)
    {
        if (actions.Contains(ResumeAction.Step))
            Partition.Capabilities.Require(Capability.SingleStep);
        LetTimeGo();
        IsRunning = true;
        try
        {
            StopReport? waiting = Processors.Resume(actions, Points.Points);
            return waiting is null ? null : Stopped(waiting);
        }
        catch
        {
            Stopped(null);
            throw;
        }
    }

    /// <summary>Ends the guest, or lets it go where nobody can.</summary>
    public void Kill() => _options.Killed?.Invoke();

    private StopReport? Stopped(StopReport? report)
    {
        IsRunning = false;
        if (!_isTimeHeld)
        {
            _isTimeHeld = true;
            _options.Stopped?.Invoke();
        }
        return report;
    }

    private void LetTimeGo()
    {
        if (!_isTimeHeld)
            return;
        _isTimeHeld = false;
        _options.Resumed?.Invoke();
    }
}
