namespace Vmm.Debugging;

/// <summary>How a <see cref="GdbServer"/> behaves, and what it calls.</summary>
public sealed record GdbServerOptions
{
    /// <summary>Processors wait before their first instruction until a debugger lets them go.</summary>
    public bool StopsAtStart { get; init; } = true;

    /// <summary>Called when every processor stands still: here the guest's time can be stopped.</summary>
    public Action? Stopped { get; init; }

    /// <summary>Called before processors go on after <see cref="Stopped"/>.</summary>
    public Action? Resumed { get; init; }

    /// <summary>Called when the debugger kills the guest: the run should be ended. Null = a kill is a detach.</summary>
    public Action? Killed { get; init; }
}
