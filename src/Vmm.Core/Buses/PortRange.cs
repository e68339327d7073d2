namespace Vmm;

/// <summary>A registered range of ports.</summary>
/// <param name="First">First port.</param>
/// <param name="Count">Number of ports.</param>
/// <param name="Device">The device.</param>
/// <param name="Name">What messages call it.</param>
public sealed record PortRange(ushort First, int Count, IPortDevice Device, string Name)
{
    /// <summary>Last port.</summary>
    public ushort Last => (ushort)(First + Count - 1);

    /// <inheritdoc/>
    public override string ToString() => Count == 1 ? $"{Name} at port 0x{First:X}" : $"{Name} at ports 0x{First:X}-0x{Last:X}";
}
