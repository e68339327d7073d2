namespace Vmm;

/// <summary>The machines that a host owns.</summary>
public sealed class MachineHostOptions
{
    /// <summary>The machines by name; case does not matter.</summary>
    public IDictionary<string, HostedMachineOptions> Machines { get; } = new Dictionary<string, HostedMachineOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the host stops when every machine has ended.</summary>
    public bool StopHostWhenDone { get; set; }

    /// <summary>
    /// Where the options come from, for messages: a configuration section's path. Set by what binds them, not a setting itself.
    /// </summary>
    public string Origin { get; set; } = "";

    /// <summary>What code does to the options of machines before they are made, by name.</summary>
    internal Dictionary<string, MachineFinish> Finishes { get; } = new(StringComparer.OrdinalIgnoreCase);
}
