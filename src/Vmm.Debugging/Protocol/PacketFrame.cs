namespace Vmm.Debugging.Protocol;

/// <summary>Puts packets in their frame.</summary>
internal static class PacketFrame
{
    /// <summary><c>$content#checksum</c>, with escapes where the content needs them.</summary>
    public static byte[] Of(ReadOnlySpan<byte> content)
    {
        List<byte> frame = new(content.Length + 8) { (byte)'$' };
        int sum = 0;
        foreach (byte value in content)
        {
            if (value is (byte)'#' or (byte)'$' or (byte)'}' or (byte)'*')
            {
                Add((byte)'}');
                Add((byte)(value ^ 0x20));
            }
            else
            {
                Add(value);
            }
        }
        frame.Add((byte)'#');
        frame.Add((byte)"0123456789abcdef"[sum >> 4]);
        frame.Add((byte)"0123456789abcdef"[sum & 15]);
        return [.. frame];

        void Add(byte value)
        {
            frame.Add(value);
            sum = (sum + value) & 0xFF;
        }
    }

    /// <summary>As the other one, for text of one byte a character.</summary>
    public static byte[] Of(string content) => Of(System.Text.Encoding.Latin1.GetBytes(content));
}
