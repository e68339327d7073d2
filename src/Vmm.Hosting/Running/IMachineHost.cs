namespace Vmm;

/// <summary>The machines that a host owns: it makes and starts them when it starts, and stops them when it stops.</summary>
/// <remarks>All members may be called from any thread. In the container under the key of its <c>AddVmm</c>.</remarks>
public interface IMachineHost
{
    /// <summary>The machines, in the order of their names. Empty before the host starts.</summary>
    IReadOnlyList<HostedMachine> Machines { get; }

    /// <summary>A machine by its name; case does not matter.</summary>
    /// <param name="name">Its name in the configuration.</param>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    HostedMachine this[string name] { get; }
}
