using System.Text;
using Vmm.Debugging.Protocol;

namespace Vmm.Debugging.Tests;

public sealed class PacketParserTests
{
    [Theory]
    [InlineData("$OK#9a", "Packet:OK")]
    [InlineData("$#00", "Packet:")]
    [InlineData("+++$OK#9a", "Packet:OK")]
    [InlineData("$OK#9A", "Packet:OK")]
    [InlineData("$OK#9b", "Damaged:")]
    [InlineData("$OK#zz", "Damaged:")]
    [InlineData("$OK#9z", "Damaged:")]
    [InlineData("$lost$OK#9a", "Packet:OK")]
    [InlineData("noise#00$OK#9a", "Packet:OK")]
    [InlineData("$a}\u0003b#43", "Packet:a#b")] // 0x61 + 0x7D + 0x03 + 0x62 = 0x143
    [InlineData("\u0003", "Interrupt:")]
    [InlineData("-", "Retransmit:")]
    [InlineData("$a\u0003b#c6", "Packet:a\u0003b")]
    public void Bytes_become_packets(string bytes, string expected)
    {
        Parse(Encoding.Latin1.GetBytes(bytes)).Should().Equal(expected);
    }

    [Fact]
    public void Packets_beyond_the_agreed_size_are_told_and_the_next_is_found()
    {
        string longest = new('a', PacketParser.MaximumLength);
        Parse(Encoding.Latin1.GetBytes($"${longest}#{longest.Length * 'a' & 0xFF:x2}")).Should().Equal($"Packet:{longest}");
        Parse(Encoding.Latin1.GetBytes($"${longest}a#00$OK#9a")).Should().Equal("TooLong:", "Packet:OK");
    }

    [Fact]
    public void Random_bytes_never_throw_and_a_whole_packet_is_found_after_them()
    {
        Random random = new(4711);
        for (int round = 0; round < 500; round++)
        {
            byte[] bytes = new byte[random.Next(400)];
            random.NextBytes(bytes);
            // Two closing frames end whatever was begun.
            byte[] all = [.. bytes, .. "#00#00$#00$OK#9a"u8];
            Parse(all).Last().Should().Be("Packet:OK");
        }
    }

    [Fact]
    public void Frames_are_what_the_parser_takes()
    {
        byte[] content = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        PacketParser parser = new();
        List<PacketInput> inputs = [];
        foreach (byte value in PacketFrame.Of(content))
        {
            if (parser.TryPush(value, out PacketInput input))
                inputs.Add(input);
        }
        inputs.Should().ContainSingle().Which.Content.Should().Equal(content);
    }

    private static List<string> Parse(byte[] bytes)
    {
        PacketParser parser = new();
        List<string> found = [];
        foreach (byte value in bytes)
        {
            if (parser.TryPush(value, out PacketInput input))
                found.Add($"{input.Kind}:{Encoding.Latin1.GetString(input.Content)}");
        }
        return found;
    }
}
