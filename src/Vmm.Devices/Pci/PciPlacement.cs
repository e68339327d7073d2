namespace Vmm.Devices;

/// <summary>Places the windows of a bus's functions and tells each its interrupt request, as firmware does.</summary>
public static class PciPlacement
{
    /// <summary>Places every window, turns decoding on, and fills the interrupt line registers from the ISA bridge's routes.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="memory">First address for windows of memory.</param>
    /// <param name="memoryEnd">The address after the last, at most 4 GiB - 1.</param>
    /// <param name="port">First port for windows of ports; they reach to 0xFFFF.</param>
    /// <exception cref="InvalidOperationException">The windows do not fit.</exception>
    public static void Place(PciBus bus, uint memory, uint memoryEnd, ushort port)
    {
        ArgumentNullException.ThrowIfNull(bus);
        PiixIsaBridge? bridge = bus.Functions.OfType<PiixIsaBridge>().FirstOrDefault();
        ulong nextMemory = memory;
        ulong nextPort = port;
        foreach (PciFunction function in bus.Functions)
        {
            uint command = 0;
            foreach (PciBar bar in function.Bars)
            {
                bool isIo = bar.Kind == PciBarKind.Io;
                ref ulong next = ref isIo ? ref nextPort : ref nextMemory;
                // A page at least, so that no two functions share one.
                ulong alignment = isIo ? bar.Size : Math.Max(bar.Size, 4096);
                ulong address = (next + (alignment - 1)) & ~(alignment - 1);
                next = address + alignment;
                if (next > (isIo ? 0x1_0000u : memoryEnd))
                    throw new InvalidOperationException("The windows of the PCI functions do not fit the place there is for them.");
                bus.WriteConfiguration(function.DeviceNumber, function.FunctionNumber, bar.Offset, 4, (uint)address);
                command |= isIo ? 1u : 2u;
            }
            int pin = function.Identity.InterruptPin;
            if (pin != 0 && bridge?.RouteOf(PciBus.LineOf(function.DeviceNumber, pin)) is { } request
                && bus.ReadConfiguration(function.DeviceNumber, function.FunctionNumber, 0x3C, 1) == 0)
            {
                bus.WriteConfiguration(function.DeviceNumber, function.FunctionNumber, 0x3C, 1, (uint)request);
            }
            if (command != 0)
                bus.WriteConfiguration(function.DeviceNumber, function.FunctionNumber, 0x04, 2, command);
        }
    }
}
