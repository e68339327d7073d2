namespace Vmm.Devices;

/// <summary>What a PCI function says it is: the read-only registers of its header (PCI Local Bus 3.0, 6.2.1).</summary>
/// <param name="VendorId">Vendor.</param>
/// <param name="DeviceId">Device.</param>
/// <param name="ClassCode">Base class, sub-class and programming interface: 24 bits.</param>
public sealed record PciIdentity(ushort VendorId, ushort DeviceId, uint ClassCode)
{
    /// <summary>Revision.</summary>
    public byte Revision { get; init; }

    /// <summary>Vendor of the subsystem.</summary>
    public ushort SubsystemVendorId { get; init; }

    /// <summary>The subsystem.</summary>
    public ushort SubsystemId { get; init; }

    /// <summary>Interrupt pin: 0 = none, 1 = INTA# to 4 = INTD#.</summary>
    public byte InterruptPin { get; init; }
}
