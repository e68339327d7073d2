using System.Buffers.Binary;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>What firmware is told of the machine.</summary>
internal static class FirmwareItems
{
    private const int MapEntrySize = 20;
    private const ushort FirstSerialPort = 0x3F8;

    public static void AddMachine(FirmwareConfiguration configuration, MemoryMap map, int processors)
    {
        configuration.Set(FirmwareConfigurationItem.MemorySize, map.Size);
        configuration.Set(FirmwareConfigurationItem.ProcessorCount, (ushort)processors);
        configuration.Set(FirmwareConfigurationItem.ProcessorLimit, (ushort)processors);
        configuration.Set(FirmwareConfigurationItem.Uuid, new byte[16]);
        configuration.Set(FirmwareConfigurationItem.MemoryNodes, 0ul);
        configuration.Set(FirmwareConfigurationItem.BootMenu, (ushort)0);
        configuration.AddFile("etc/e820", MapOf(map));
    }

    public static void AddFiles(FirmwareConfiguration configuration, FirmwareImage image)
    {
        if (image.ScreenOnSerial)
        {
            byte[] port = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(port, FirstSerialPort);
            configuration.AddFile("etc/sercon-port", port);
        }
        foreach (FirmwareFile file in image.Files)
        {
            try
            {
                configuration.AddFile(file.Name, file.Content);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                throw new ImageLoadException(image.Name, $"give the firmware the file '{file.Name}'", e.Message, "Choose another name");
            }
        }
    }

    // RAM as it is wired: firmware itself keeps the legacy area below 1 MiB, and what it takes for itself, out of what it tells others.
    private static byte[] MapOf(MemoryMap map)
    {
        byte[] entries = new byte[map.High > 0 ? 2 * MapEntrySize : MapEntrySize];
        Write(entries, 0, map.Low);
        if (map.High > 0)
            Write(entries.AsSpan(MapEntrySize), MemoryMap.HighStart, map.High);
        return entries;

        static void Write(Span<byte> entry, ulong start, ulong length)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(entry, start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)MemoryRangeKind.Usable);
        }
    }
}
