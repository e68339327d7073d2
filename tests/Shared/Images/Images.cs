using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Vmm.Tests;

/// <summary>Builds images from their formats' definitions.</summary>
internal static class Images
{
    public const ulong LinuxAddress = 0x100_0000;
    public const uint LinuxInitSize = 0x20_0000;

    /// <summary>A bzImage whose kernel proper is a pattern.</summary>
    public static byte[] Linux(int setupSectors = 3, int kernelSize = 0x3000, Action<byte[]>? change = null)
    {
        int setup = ((setupSectors == 0 ? 4 : setupSectors) + 1) * 512;
        byte[] image = new byte[setup + kernelSize];
        for (int index = 0; index < kernelSize; index++)
            image[setup + index] = (byte)(index * 7 + index / 256);
        image[0x1F1] = (byte)setupSectors;
        Put32(image, 0x1F4, (uint)kernelSize / 16);
        Put16(image, 0x1FE, 0xAA55);
        image[0x200] = 0xEB;
        image[0x201] = 0x6A;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        Put16(image, 0x206, 0x020F);
        image[0x211] = 0x01;
        Put16(image, 0x224, 0xABCD);
        Put32(image, 0x22C, 0x7FFF_FFFF);
        Put32(image, 0x230, 0x20_0000);
        image[0x234] = 1;
        image[0x235] = 21;
        Put16(image, 0x236, 0x007F);
        Put32(image, 0x238, 2047);
        Put64(image, 0x258, LinuxAddress);
        Put32(image, 0x260, LinuxInitSize);
        Put32(image, 0x264, 0x190);
        change?.Invoke(image);
        return image;
    }

    /// <summary>
    /// An ELF executable with segments (physical address, virtual address, contents, memory size) and an optional PVH note.
    /// </summary>
    public static byte[] Elf(
        bool is64,
        ulong entry,
        (ulong Physical, ulong Virtual, byte[] Content, ulong MemorySize)[] segments,
        ulong? pvhEntry = null,
        ushort? machine = null)
    {
        int headerSize = is64 ? 64 : 52;
        int programSize = is64 ? 56 : 32;
        byte[] note = pvhEntry is { } address ? Note(address) : [];
        int count = segments.Length + (note.Length > 0 ? 1 : 0);
        int offset = headerSize + count * programSize;
        byte[] image = new byte[offset + segments.Sum(segment => segment.Content.Length) + note.Length];
        "\u007fELF"u8.CopyTo(image);
        image[4] = (byte)(is64 ? 2 : 1);
        image[5] = 1;
        image[6] = 1;
        Put16(image, 16, 2);
        Put16(image, 18, machine ?? (ushort)(is64 ? 62 : 3));
        Put32(image, 20, 1);
        if (is64)
        {
            Put64(image, 24, entry);
            Put64(image, 32, (ulong)headerSize);
        }
        else
        {
            Put32(image, 24, (uint)entry);
            Put32(image, 28, (uint)headerSize);
        }
        Put16(image, is64 ? 52 : 40, (ushort)headerSize);
        Put16(image, is64 ? 54 : 42, (ushort)programSize);
        Put16(image, is64 ? 56 : 44, (ushort)count);
        for (int index = 0; index < segments.Length; index++)
        {
            (ulong physical, ulong linear, byte[] content, ulong memorySize) = segments[index];
            Header(index, 1, offset, linear, physical, content.Length, memorySize);
            content.CopyTo(image, offset);
            offset += content.Length;
        }
        if (note.Length > 0)
        {
            Header(segments.Length, 4, offset, 0, 0, note.Length, (ulong)note.Length);
            note.CopyTo(image, offset);
        }
        return image;

        void Header(int index, uint type, int fileOffset, ulong linear, ulong physical, int fileSize, ulong memorySize)
        {
            int at = headerSize + index * programSize;
            Put32(image, at, type);
            if (is64)
            {
                Put32(image, at + 4, 7);
                Put64(image, at + 8, (ulong)fileOffset);
                Put64(image, at + 16, linear);
                Put64(image, at + 24, physical);
                Put64(image, at + 32, (ulong)fileSize);
                Put64(image, at + 40, memorySize);
            }
            else
            {
                Put32(image, at + 4, (uint)fileOffset);
                Put32(image, at + 8, (uint)linear);
                Put32(image, at + 12, (uint)physical);
                Put32(image, at + 16, (uint)fileSize);
                Put32(image, at + 20, (uint)memorySize);
            }
        }
    }

    /// <summary>Two ELF notes: another one, then Xen's 32-bit entry.</summary>
    private static byte[] Note(ulong entry)
    {
        byte[] note = new byte[12 + 8 + 4 + 12 + 4 + 8];
        Put32(note, 0, 5);
        Put32(note, 4, 3);
        Put32(note, 8, 18);
        "Xeno\0"u8.CopyTo(note.AsSpan(12));
        Put32(note, 24, 4);
        Put32(note, 28, 8);
        Put32(note, 32, 18);
        "Xen\0"u8.CopyTo(note.AsSpan(36));
        Put64(note, 40, entry);
        return note;
    }

    /// <summary>A multiboot image with addresses in its header, which lies at an offset in the file.</summary>
    public static byte[] Multiboot(
        int headerOffset = 0x40,
        int size = 0x1000,
        uint loadAddress = 0x10_0000,
        uint loadEnd = 0,
        uint clearedEnd = 0,
        uint entry = 0x10_0060,
        uint flags = 0x1_0003)
    {
        byte[] image = new byte[size];
        for (int index = 0; index < size; index++)
            image[index] = (byte)(index * 3);
        Put32(image, headerOffset, 0x1BAD_B002);
        Put32(image, headerOffset + 4, flags);
        Put32(image, headerOffset + 8, unchecked(0u - 0x1BAD_B002u - flags));
        Put32(image, headerOffset + 12, loadAddress + (uint)headerOffset);
        Put32(image, headerOffset + 16, loadAddress);
        Put32(image, headerOffset + 20, loadEnd);
        Put32(image, headerOffset + 24, clearedEnd);
        Put32(image, headerOffset + 28, entry);
        return image;
    }

    /// <summary>A multiboot image whose addresses are in its ELF headers.</summary>
    public static byte[] MultibootElf(bool is64 = false)
    {
        byte[] code = new byte[0x200];
        Put32(code, 0, 0x1BAD_B002);
        Put32(code, 4, 3);
        Put32(code, 8, unchecked(0u - 0x1BAD_B002u - 3));
        ulong linear = is64 ? 0xFFFF_FFFF_8010_0000 : 0xC010_0000;
        return Elf(is64, linear + 0x20, [(0x10_0000, linear, code, 0x1000)]);
    }

    /// <summary>A cpio archive (newc) of one file and its trailer.</summary>
    public static byte[] Archive(int size = 1000)
    {
        MemoryStream stream = new();
        Entry("file", new byte[size]);
        Entry("TRAILER!!!", []);
        return stream.ToArray();

        void Entry(string name, byte[] content)
        {
            string header = "070701" + string.Concat(Enumerable.Repeat("00000000", 6)) + $"{content.Length:X8}"
                + string.Concat(Enumerable.Repeat("00000000", 4)) + $"{name.Length + 1:X8}" + "00000000";
            stream.Write(Encoding.ASCII.GetBytes(header + name + "\0"));
            Pad();
            stream.Write(content);
            Pad();
        }

        void Pad() => stream.Write(new byte[(4 - stream.Length % 4) % 4]);
    }

    public static byte[] Gzip(byte[] content)
    {
        MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest))
            gzip.Write(content);
        return stream.ToArray();
    }

    public static void Put16(byte[] image, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(offset), value);

    public static void Put32(byte[] image, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(offset), value);

    public static void Put64(byte[] image, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
}
