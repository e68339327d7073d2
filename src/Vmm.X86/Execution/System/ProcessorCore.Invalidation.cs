namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Regions in which a translation came from a page larger than 4 KiB since the last flush, hashed to 1024 bits: the soft TLB holds such
    // a page in pieces, which must go together. 2 MiB regions first, then 1 GiB regions.
    private const int RegionWords = 16;
    private readonly ulong[] _largeRegions = new ulong[2 * RegionWords];
    private bool _hasLargeRegions;

    /// <summary>Forgets every cached translation: INVPCID.</summary>
    internal void DropTranslations() => ChangeTranslations();

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

    private void MarkRegion(ulong region, int start) =>
        _largeRegions[start + (int)((region >> 6) & (RegionWords - 1))] |= 1UL << (int)(region & 63);

    private bool IsRegionMarked(ulong region, int start) =>
        ((_largeRegions[start + (int)((region >> 6) & (RegionWords - 1))] >> (int)(region & 63)) & 1) != 0;
}
