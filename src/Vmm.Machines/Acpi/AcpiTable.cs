using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>The bytes of one table under construction (ACPI 6.4, 5.2.6): the common header, then what is added.</summary>
internal sealed class AcpiTable
{
    private const int HeaderLength = 36;
    private const int LengthField = 4;
    private const int ChecksumField = 9;

    private readonly List<byte> _bytes = [];

    /// <param name="signature">Four characters.</param>
    /// <param name="revision">The table's revision.</param>
    public AcpiTable(string signature, byte revision)
    {
        Text(signature);
        Add32(HeaderLength);
        Add8(revision);
        Add8(0);
        Text(Maker);
        Text("VMMTABLE");
        Add32(1);
        Text("VMM ");
        Add32(1);
    }

    /// <summary>The six characters of the maker.</summary>
    public static string Maker => "VMM   ";

    /// <summary>The sum that makes all bytes of a structure add up to zero.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
            sum += value;
        return (byte)-sum;
    }

    public void Add8(byte value) => _bytes.Add(value);

    public void Add16(ushort value) => Add(value, 2);

    public void Add32(uint value) => Add(value, 4);

    public void Add64(ulong value) => Add(value, 8);

    public void Zeros(int count) => _bytes.AddRange(new byte[count]);

    public void Bytes(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    public void Text(string text)
    {
        foreach (char letter in text)
            _bytes.Add((byte)letter);
    }

    /// <summary>A generic address structure for ports, or for nothing (ACPI 6.4, 5.2.3.2).</summary>
    /// <param name="port">The first port; 0 = there is no such register.</param>
    /// <param name="bytes">Its width.</param>
    /// <param name="access">The width of an access: 1, 2 or 4.</param>
    public void AddPorts(ushort port, int bytes, int access)
    {
        if (port == 0)
        {
            Zeros(12);
            return;
        }
        byte accessCode = (byte)(access == 4 ? 3 : access);
        Bytes([1, (byte)(bytes * 8), 0, accessCode]);
        Add64(port);
    }

    /// <summary>The table with its length and checksum.</summary>
    public byte[] Finish()
    {
        byte[] table = [.. _bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(LengthField), (uint)table.Length);
        table[ChecksumField] = Checksum(table);
        return table;
    }

    private void Add(ulong value, int size)
    {
        for (int index = 0; index < size; index++)
            _bytes.Add((byte)(value >> (8 * index)));
    }
}
