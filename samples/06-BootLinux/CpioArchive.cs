using System.Buffers;
using System.Globalization;
using System.Text;

namespace BootLinux;

/// <summary>Writes the archive format of Linux's initial RAM disks: "newc" cpio, one header of 110 ASCII characters a file.</summary>
internal sealed class CpioArchive
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private int _inode;

    public void AddDirectory(string path) => Add(path, 0x41ED, []);

    public void AddFile(string path, ReadOnlySpan<byte> content) => Add(path, 0x81ED, content);

    public void AddLink(string path, string target) => Add(path, 0xA1FF, Encoding.ASCII.GetBytes(target));

    public byte[] Finish()
    {
        Add("TRAILER!!!", 0, []);
        return _bytes.WrittenSpan.ToArray();
    }

    private void Add(string path, int mode, ReadOnlySpan<byte> content)
    {
        int[] fields = [++_inode, mode, 0, 0, 1, 0, content.Length, 0, 0, 0, 0, path.Length + 1, 0];
        StringBuilder header = new("070701");
        foreach (int field in fields)
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        _bytes.Write(Encoding.ASCII.GetBytes(header.Append(path).Append('\0').ToString()));
        Pad();
        _bytes.Write(content);
        Pad();
    }

    private void Pad()
    {
        int odd = _bytes.WrittenCount % 4;
        if (odd != 0)
            _bytes.Write(stackalloc byte[4 - odd]);
    }
}
