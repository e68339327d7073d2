using System.IO.Compression;

namespace Vmm.Machines;

/// <summary>Looks whether an initial RAM disk is something that Linux can unpack, so that a wrong or cut-off file is named before the
/// guest fails on it ("initramfs buffer format"; the magic numbers of its decompressors and RAM disk file systems).</summary>
internal static class RamDiskCheck
{
    private const string Attempted = "load an initial RAM disk";

    // A gzip archive is unpacked only this far: enough for any real one, and a bound on one made to waste time.
    private const long UnpackLimit = 512L << 20;

    public static void RequireKnown(BootModule module)
    {
        ReadOnlySpan<byte> content = module.Content.Span;
        if (content.IsEmpty)
            throw Refuse(module, "it is empty", "Check the file");
        if (IsArchive(content))
            RequireWholeArchive(module);
        else if (content.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            RequireWholeGzip(module, module.Content);
        else if (!IsOtherKnown(content))
            throw Refuse(
                module, "it is neither a cpio archive nor anything that Linux unpacks",
                "Give a cpio (newc) archive, compressed or not");
    }

    private static bool IsArchive(ReadOnlySpan<byte> content) => content.StartsWith("070701"u8) || content.StartsWith("070702"u8);

    private static bool IsOtherKnown(ReadOnlySpan<byte> content) =>
        content.StartsWith("BZh"u8)
        || content.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])
        || content.StartsWith((ReadOnlySpan<byte>)[0x5D, 0, 0])
        || content.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'L', (byte)'Z', (byte)'O'])
        || content.StartsWith((ReadOnlySpan<byte>)[0x02, 0x21, 0x4C, 0x18])
        || content.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])
        || content.StartsWith("-rom1fs-"u8)
        || content.StartsWith("hsqs"u8)
        || content.StartsWith((ReadOnlySpan<byte>)[0x45, 0x3D, 0xCD, 0x28])
        || (content.Length >= 0x43A && content[0x438] == 0x53 && content[0x439] == 0xEF);

    // Walks the archive's entries to its trailer; what follows (another archive, or a compressed one) is taken on trust.
    private static void RequireWholeArchive(BootModule module)
    {
        const int HeaderSize = 110;
        ReadOnlySpan<byte> content = module.Content.Span;
        ulong offset = 0;
        while (offset <= (ulong)content.Length && (ulong)content.Length - offset >= HeaderSize)
        {
            ReadOnlySpan<byte> header = content.Slice((int)offset, HeaderSize);
            if (!IsArchive(header)
                || !TryHexadecimal(header.Slice(54, 8), out uint size)
                || !TryHexadecimal(header.Slice(94, 8), out uint nameSize))
                throw Refuse(module, $"its entry at offset 0x{offset:X} is damaged", "Make the archive anew");
            ulong name = offset + HeaderSize;
            ulong data = (name + nameSize + 3) & ~3ul;
            if (data > (ulong)content.Length || size > (ulong)content.Length - data)
                break;
            if (content.Slice((int)name, (int)nameSize).StartsWith("TRAILER!!!"u8))
                return;
            offset = (data + size + 3) & ~3ul;
        }
        throw Refuse(module, $"its {content.Length} bytes end before the archive does", "The file is truncated: get it anew");
    }

    private static bool TryHexadecimal(ReadOnlySpan<byte> digits, out uint value) =>
        uint.TryParse(digits, System.Globalization.NumberStyles.AllowHexSpecifier, null, out value);

    private static void RequireWholeGzip(BootModule module, ReadOnlyMemory<byte> content)
    {
        // Zeros follow: an archive that is whole ends before them; one that was cut off runs into them and fails, or uses them up.
        ZeroTailedStream source = new(content, tailLength: 1 << 16);
        bool isWhole = true;
        try
        {
            using GZipStream stream = new(source, CompressionMode.Decompress);
            byte[] buffer = new byte[1 << 16];
            long total = 0;
            int read;
            while (total <= UnpackLimit && (read = stream.Read(buffer)) > 0)
                total += read;
            isWhole = total > 0 && !source.IsUsedUp;
        }
        catch (InvalidDataException)
        {
            isWhole = false;
        }
        if (!isWhole)
            throw Refuse(module, "its gzip compression is damaged or ends early", "The file is truncated or damaged: get it anew");
    }

    private static ImageLoadException Refuse(BootModule module, string found, string hint) => new(module.Name, Attempted, found, hint);
}
