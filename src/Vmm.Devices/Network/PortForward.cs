namespace Vmm.Devices;

/// <summary>A way through a <see cref="UserNetwork"/>.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="From">The port that is connected to.</param>
/// <param name="To">The port on the other side that this leads to.</param>
public readonly record struct PortForward(ForwardedProtocol Protocol, ushort From, ushort To);
