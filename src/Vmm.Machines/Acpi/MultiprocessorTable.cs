using System.Buffers.Binary;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// The tables of the Intel MultiProcessor Specification 1.4, for guests without ACPI: floating pointer and configuration.
/// </summary>
internal static class MultiprocessorTable
{
    private const int PointerLength = 16;
    private const int HeaderLength = 44;
    private const byte Specification = 4;
    private const byte ProcessorEntry = 0;
    private const byte BusEntry = 1;
    private const byte IoApicEntry = 2;
    private const byte IoInterruptEntry = 3;
    private const byte LocalInterruptEntry = 4;
    private const byte Usable = 1;
    private const byte Bootstrap = 2;
    private const byte ApicVersion = 0x14;
    private const byte IoApicVersion = 0x20;
    private const byte Vectored = 0;
    private const byte NonMaskable = 1;
    private const byte External = 3;
    private const ushort AsTheBus = 0;
    private const ushort ActiveHighLevel = 0xD;
    private const byte PciBus = 0;
    private const byte IsaBus = 1;
    private const byte AllProcessors = 0xFF;
    private const int MostProcessors = 255;

    /// <summary>Makes the pointer and, right behind it, the table.</summary>
    /// <param name="platform">The machine; it has APICs. Processors beyond the 255th cannot be told.</param>
    /// <param name="address">Where they will lie, a multiple of 16.</param>
    public static byte[] Build(AcpiPlatform platform, uint address)
    {
        List<byte> entries = [];
        int count = AddProcessors(entries, platform);
        count += AddBusses(entries, platform);
        entries.AddRange([IoApicEntry, 0, IoApicVersion, Usable, .. UInt32((uint)IoApic.StandardAddress)]);
        count++;
        count += AddIsaInterrupts(entries);
        if (platform.Pci is { } bridge)
            count += AddPciInterrupts(entries, bridge);
        // The 8259A pair is on pin 0 of the bootstrap processor's local APIC, NMI on pin 1 of all.
        AddInterrupt(entries, LocalInterruptEntry, External, AsTheBus, IsaBus, 0, 0, 0);
        AddInterrupt(entries, LocalInterruptEntry, NonMaskable, AsTheBus, IsaBus, 0, AllProcessors, 1);
        count += 2;

        byte[] bytes = new byte[PointerLength + HeaderLength + entries.Count];
        WritePointer(bytes.AsSpan(0, PointerLength), address + PointerLength);
        entries.CopyTo(bytes, PointerLength + HeaderLength);
        WriteHeader(bytes.AsSpan(PointerLength), count);
        return bytes;
    }

    private static int AddProcessors(List<byte> entries, AcpiPlatform platform)
    {
        int processors = Math.Min(platform.ProcessorCount, MostProcessors);
        for (int id = 0; id < processors; id++)
        {
            entries.AddRange([ProcessorEntry, (byte)id, ApicVersion, (byte)(Usable | (id == 0 ? Bootstrap : 0))]);
            entries.AddRange(UInt32(platform.ProcessorSignature));
            entries.AddRange(UInt32(platform.ProcessorFeatures));
            entries.AddRange(new byte[8]);
        }
        return processors;
    }

    private static int AddBusses(List<byte> entries, AcpiPlatform platform)
    {
        if (platform.Pci is not null)
            entries.AddRange([BusEntry, PciBus, .. "PCI   "u8]);
        entries.AddRange([BusEntry, IsaBus, .. "ISA   "u8]);
        return platform.Pci is null ? 1 : 2;
    }

    private static int AddIsaInterrupts(List<byte> entries)
    {
        int count = 0;
        for (int line = 0; line < InterruptRouter.IsaLineCount; line++)
        {
            // The second controller hangs on request 2.
            if (line == 2)
                continue;
            ushort flags = line == FixedTable.SystemControlInterrupt ? ActiveHighLevel : AsTheBus;
            AddInterrupt(entries, IoInterruptEntry, Vectored, flags, IsaBus, (byte)line, 0, (byte)InterruptRouter.InputOf(line));
            count++;
        }
        return count;
    }

    private static int AddPciInterrupts(List<byte> entries, AcpiPciBridge bridge)
    {
        int count = 0;
        for (int device = 0; device < 32; device++)
        {
            for (int pin = 0; pin < 4; pin++)
            {
                byte input = (byte)(bridge.FirstInterrupt + bridge.LineOf(device, pin));
                AddInterrupt(entries, IoInterruptEntry, Vectored, ActiveHighLevel, PciBus, (byte)(device << 2 | pin), 0, input);
                count++;
            }
        }
        return count;
    }

    private static void AddInterrupt(
        List<byte> entries, byte entry, byte kind, ushort flags, byte bus, byte source, byte destination, byte input) =>
        entries.AddRange([entry, kind, (byte)flags, (byte)(flags >> 8), bus, source, destination, input]);

    private static void WritePointer(Span<byte> pointer, uint table)
    {
        "_MP_"u8.CopyTo(pointer);
        BinaryPrimitives.WriteUInt32LittleEndian(pointer[4..], table);
        pointer[8] = PointerLength / 16;
        pointer[9] = Specification;
        pointer[10] = AcpiTable.Checksum(pointer);
    }

    private static void WriteHeader(Span<byte> table, int entryCount)
    {
        "PCMP"u8.CopyTo(table);
        BinaryPrimitives.WriteUInt16LittleEndian(table[4..], (ushort)table.Length);
        table[6] = Specification;
        "VMM     MACHINE     "u8.CopyTo(table[8..]);
        BinaryPrimitives.WriteUInt16LittleEndian(table[34..], (ushort)entryCount);
        BinaryPrimitives.WriteUInt32LittleEndian(table[36..], InterruptTable.LocalApicAddress);
        table[7] = AcpiTable.Checksum(table);
    }

    private static byte[] UInt32(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
