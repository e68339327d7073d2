using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>Writes the resources of a device, as _CRS returns them (ACPI 6.4, 6.4).</summary>
public sealed class ResourceTemplate
{
    private const byte IrqDescriptor = 0x22;
    private const byte IoDescriptor = 0x47;
    private const byte EndTag = 0x79;
    private const byte FixedMemoryDescriptor = 0x86;
    private const byte DoubleWordSpaceDescriptor = 0x87;
    private const byte WordSpaceDescriptor = 0x88;
    private const byte ExtendedInterruptDescriptor = 0x89;
    private const byte QuadWordSpaceDescriptor = 0x8A;

    // Minimum and maximum fixed; the bridge produces, devices below it consume.
    private const byte FixedRange = 0x0C;
    private const byte MemorySpace = 0;
    private const byte IoSpace = 1;
    private const byte BusNumbers = 2;
    private const byte EntireRange = 3;
    private const byte ReadWrite = 1;

    private readonly List<byte> _bytes = [];

    /// <summary>A range of ports.</summary>
    /// <param name="first">The first port.</param>
    /// <param name="count">How many, 1 to 255.</param>
    public ResourceTemplate Ports(ushort first, int count)
    {
        CheckCount(count);
        _bytes.AddRange([IoDescriptor, 1, (byte)first, (byte)(first >> 8), (byte)first, (byte)(first >> 8), 1, (byte)count]);
        return this;
    }

    /// <summary>An edge-triggered ISA interrupt request.</summary>
    /// <param name="request">0-15.</param>
    public ResourceTemplate IsaInterrupt(int request)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(request);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request, 15);
        int mask = 1 << request;
        _bytes.AddRange([IrqDescriptor, (byte)mask, (byte)(mask >> 8)]);
        return this;
    }

    /// <summary>A global system interrupt, active high.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="levelTriggered">Level- rather than edge-triggered.</param>
    /// <param name="shared">Other devices may share it.</param>
    public ResourceTemplate Interrupt(int number, bool levelTriggered, bool shared = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        byte flags = (byte)(1 | (levelTriggered ? 0 : 2) | (shared ? 8 : 0));
        Large(ExtendedInterruptDescriptor, [flags, 1, .. Bytes((uint)number, 4)]);
        return this;
    }

    /// <summary>A range of memory addresses below 4 GiB at a fixed place.</summary>
    /// <param name="address">The first address.</param>
    /// <param name="length">Bytes.</param>
    public ResourceTemplate Memory(uint address, uint length)
    {
        Large(FixedMemoryDescriptor, [ReadWrite, .. Bytes(address, 4), .. Bytes(length, 4)]);
        return this;
    }

    /// <summary>The bus numbers behind a bridge.</summary>
    /// <param name="first">The first.</param>
    /// <param name="last">The last.</param>
    public ResourceTemplate BridgedBuses(byte first, byte last)
    {
        Space(WordSpaceDescriptor, 2, BusNumbers, 0, first, last);
        return this;
    }

    /// <summary>A range of ports that a bridge passes on.</summary>
    /// <param name="first">The first.</param>
    /// <param name="last">The last.</param>
    public ResourceTemplate BridgedPorts(ushort first, ushort last)
    {
        Space(WordSpaceDescriptor, 2, IoSpace, EntireRange, first, last);
        return this;
    }

    /// <summary>A range of memory addresses that a bridge passes on.</summary>
    /// <param name="first">The first.</param>
    /// <param name="last">The last.</param>
    public ResourceTemplate BridgedMemory(ulong first, ulong last)
    {
        if (last <= uint.MaxValue)
            Space(DoubleWordSpaceDescriptor, 4, MemorySpace, ReadWrite, first, last);
        else
            Space(QuadWordSpaceDescriptor, 8, MemorySpace, ReadWrite, first, last);
        return this;
    }

    /// <summary>The template as a value.</summary>
    public AmlValue ToValue() => AmlValue.Buffer([.. _bytes, EndTag, 0]);

    private static byte[] Bytes(ulong value, int size)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes[..size];
    }

    private static void CheckCount(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, byte.MaxValue);
    }

    private void Large(byte descriptor, byte[] content) =>
        _bytes.AddRange([descriptor, (byte)content.Length, (byte)(content.Length >> 8), .. content]);

    private void Space(byte descriptor, int size, byte kind, byte kindFlags, ulong first, ulong last)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        // Granularity and translation are zero.
        Large(
            descriptor,
            [
                kind, FixedRange, kindFlags, .. Bytes(0, size), .. Bytes(first, size), .. Bytes(last, size), .. Bytes(0, size),
                .. Bytes(last - first + 1, size),
            ]);
    }
}
