namespace Vmm;

/// <summary>What a machine of a host is doing.</summary>
public enum HostedMachineState
{
    /// <summary>It has not been started.</summary>
    Waiting,

    /// <summary>It runs, or is about to run again.</summary>
    Running,

    /// <summary>Its guest has ended the run.</summary>
    Ended,

    /// <summary>Its guest shut down by a triple fault, a processor could not go on, or the monitor itself failed.</summary>
    Failed,

    /// <summary>The host has stopped it.</summary>
    Stopped,
}
