// Draws the packages' icon: `dotnet run nuget/icon/draw.cs` from the repository's root writes nuget/icon.png.
// A guest (the lit square) inside a partition inside a host: three rounded frames, one in another.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

const int Size = 128, Samples = 4;
(double Inset, double Radius, uint Colour)[] frames =
[
    (4, 26, 0x1B2A41), (18, 18, 0xE8EEF5), (28, 12, 0x1B2A41), (44, 6, 0x3FB68B),
];

MemoryStream rows = new();
for (int y = 0; y < Size; y++)
{
    rows.WriteByte(0);                                       // no filter (PNG 9.2)
    for (int x = 0; x < Size; x++)
        rows.Write(Pixel(x, y));
}

MemoryStream packed = new();
using (ZLibStream deflate = new(packed, CompressionLevel.SmallestSize, leaveOpen: true))
    deflate.Write(rows.ToArray());

byte[] header = [0, 0, 0, Size, 0, 0, 0, Size, 8, 6, 0, 0, 0];      // 8 bits a channel, RGBA
using FileStream file = File.Create(Path.Combine("nuget", "icon.png"));
file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
Chunk(file, "IHDR", header);
Chunk(file, "IDAT", packed.ToArray());
Chunk(file, "IEND", []);

// The colour of the innermost frame at each sample, averaged.
byte[] Pixel(int x, int y)
{
    double red = 0, green = 0, blue = 0, alpha = 0;
    for (int sample = 0; sample < Samples * Samples; sample++)
    {
        double px = x + ((sample % Samples) + 0.5) / Samples, py = y + ((sample / Samples) + 0.5) / Samples;
        for (int i = frames.Length - 1; i >= 0; i--)
        {
            if (!Inside(px, py, frames[i].Inset, frames[i].Radius))
                continue;
            red += frames[i].Colour >> 16;
            green += (frames[i].Colour >> 8) & 0xFF;
            blue += frames[i].Colour & 0xFF;
            alpha++;
            break;
        }
    }
    return alpha == 0 ? [0, 0, 0, 0]
        : [(byte)(red / alpha), (byte)(green / alpha), (byte)(blue / alpha), (byte)(255 * alpha / (Samples * Samples))];
}

static bool Inside(double x, double y, double inset, double radius)
{
    double half = Size / 2.0 - inset;
    double dx = Math.Max(Math.Abs(x - Size / 2.0) - (half - radius), 0), dy = Math.Max(Math.Abs(y - Size / 2.0) - (half - radius), 0);
    return dx * dx + dy * dy <= radius * radius;
}

static void Chunk(Stream file, string name, byte[] data)
{
    byte[] body = [.. Encoding.ASCII.GetBytes(name), .. data];
    uint crc = 0xFFFFFFFF;
    foreach (byte value in body)
    {
        crc ^= value;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
    }
    Span<byte> word = stackalloc byte[4];
    BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
    file.Write(word);
    file.Write(body);
    BinaryPrimitives.WriteUInt32BigEndian(word, ~crc);
    file.Write(word);
}
