namespace Vmm.Replay;

/// <summary>What a partition's memory holds.</summary>
internal static class MemoryContent
{
    private const int Piece = 1 << 20;

    /// <summary>CRC-32C of all mapped memory, by address.</summary>
    public static uint Checksum(ISecondLevelAddressTranslation memory)
    {
        uint checksum = uint.MaxValue;
        foreach (MappedRegion region in memory.Regions)
        {
            for (ulong done = 0; done < region.Length; done += Piece)
            {
                int length = (int)Math.Min(Piece, region.Length - done);
                checksum = RecordingFormat.Update(checksum, region.Memory.GetSpan(region.Offset + done, length));
            }
        }
        return ~checksum;
    }
}
