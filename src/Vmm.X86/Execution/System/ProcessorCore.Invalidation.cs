namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Regions in which a translation came from a page larger than 4 KiB since the last flush, hashed to 8192 bits: the soft TLB holds such
    // a page in pieces, which must go together. 2 MiB regions first, then 1 GiB regions.
    private const int RegionWords = 128;
    private readonly ulong[] _largeRegions = new ulong[2 * RegionWords];
    private bool _hasLargeRegions;

    /// <summary>INVPCID with checked operands (SDM Vol. 2A INVPCID).</summary>
    internal void InvalidateContexts(int type, uint pcid, ulong linear)
    {
        switch (type)
        {
            case 0 when pcid == ((State->Cr4 & Cr4Bits.Pcid) != 0 ? State->Cr3 & 0xFFF : 0):
                InvalidatePage(linear);
                break;
            case 0 or 1:
                RenewContext(pcid);
                break;
            case 2:
                ChangeTranslations();
                break;
            default:
                RenewAllContexts();
                break;
        }
    }

    /// <summary>INVLPG: forgets the translation of a page, whatever its size.</summary>
    internal void InvalidatePage(ulong linear)
    {
        if (IsRegionMarked(linear >> 21, 0) || IsRegionMarked(linear >> 30, RegionWords))
        {
            ChangeTranslations();
            return;
        }
        FlushTlbPage(linear);
        OnTranslationsChanged();
    }

    private void NoteLargePage(ulong linear, int sizeLog2)
    {
        _hasLargeRegions = true;
        if (sizeLog2 >= 30)
        {
            MarkRegion(linear >> 30, RegionWords);
            return;
        }
        MarkRegion(linear >> 21, 0);
        if (sizeLog2 == 22)
            MarkRegion((linear >> 21) ^ 1, 0); // a 4 MiB page is two regions
    }

    private void ForgetLargePages()
    {
        if (_hasLargeRegions)
            Array.Clear(_largeRegions);
        _hasLargeRegions = false;
    }

    private void MarkRegion(ulong region, int start)
    {
        int bit = RegionBit(region);
        _largeRegions[start + (bit >> 6)] |= 1UL << (bit & 63);
    }

    private bool IsRegionMarked(ulong region, int start)
    {
        int bit = RegionBit(region);
        return ((_largeRegions[start + (bit >> 6)] >> (bit & 63)) & 1) != 0;
    }

    private static int RegionBit(ulong region) => (int)((region * 0x9E37_79B9_7F4A_7C15) >> 51);
}
