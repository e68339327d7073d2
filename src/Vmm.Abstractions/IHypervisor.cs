namespace Vmm;

/// <summary>A backend: something that can run virtual machines on this host.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public interface IHypervisor
{
    /// <summary>Short stable name, lower case, as used on command lines and in metrics: <c>emulator</c>, <c>kvm</c>, <c>whp</c>.</summary>
    string Name { get; }

    /// <summary>What this backend can do on this host. Never changes for one instance.</summary>
    HypervisorCapabilities Capabilities { get; }

    /// <summary>Creates a partition with its processors, in the architectural power-on state, with an empty address space.</summary>
    /// <param name="options">Everything that is frozen for the partition's life.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="NotSupportedException">An option needs a capability that is not declared; the message names it.</exception>
    /// <exception cref="HypervisorException">The platform refused.</exception>
    IPartition CreatePartition(PartitionOptions options);
}
