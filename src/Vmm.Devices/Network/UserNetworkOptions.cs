namespace Vmm.Devices;

/// <summary>The ways through a <see cref="UserNetwork"/>; there are no others.</summary>
public sealed record UserNetworkOptions
{
    /// <summary>What the guest may reach: from a port of 10.0.2.2 to a port of the host's 127.0.0.1.</summary>
    public IReadOnlyList<PortForward> ToHost { get; init; } = [];

    /// <summary>
    /// What programs of the host may reach: from a port of the host's 127.0.0.1 (0 = any that is free) to a port of the guest's 10.0.2.15.
    /// TCP only.
    /// </summary>
    public IReadOnlyList<PortForward> ToGuest { get; init; } = [];
}
