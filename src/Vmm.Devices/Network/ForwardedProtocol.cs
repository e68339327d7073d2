namespace Vmm.Devices;

/// <summary>A protocol that a <see cref="PortForward"/> is about.</summary>
public enum ForwardedProtocol
{
    /// <summary>TCP.</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,
}
