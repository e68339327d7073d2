namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Questions about mapping memory.</summary>
internal static class MappingQuestions
{
    private const WhvMapGpaRangeFlags ReadWrite = WhvMapGpaRangeFlags.Read | WhvMapGpaRangeFlags.Write;

    /// <summary>What mapping where no memory can be says, and tracking where there is none.</summary>
    public static PlatformQuestion BeyondTheWidth { get; } = new(
        "b", "Which result does mapping beyond the physical address width give, and tracking dirty pages without the capability?",
        "Map a page in the last page of the address space, one behind it, one at 2^52, and one with TrackDirtyPages.", false, Try);

    private static string? Try(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, [0xF4]);
        ulong told = probe.Capability(WhvCapabilityCode.PhysicalAddressWidth);
        facts.Add(new PlatformFact("physical address width", told == 0 ? "not told" : $"{told} bits"));
        int? beyond = null;
        if (told is >= 32 and <= 52)
        {
            int width = (int)told;
            Map($"the last page below 2^{width}", (1UL << width) - 4096, ReadWrite);
            beyond = Map($"the page at 2^{width}", 1UL << width, ReadWrite);
        }
        int far = Map("the page at 2^52", 1UL << 52, ReadWrite);
        WhvCapabilityFeatures features = new() { AsUInt64 = probe.Capability(WhvCapabilityCode.Features) };
        facts.Add(new PlatformFact("DirtyPageTracking", features.DirtyPageTracking ? "declared" : "not declared"));
        int tracked = Map("a page with TrackDirtyPages", 0x10_0000, ReadWrite | WhvMapGpaRangeFlags.TrackDirtyPages);
        return $"Beyond the width: {WhvHResult.Name(beyond ?? far)}; "
            + $"tracking {(features.DirtyPageTracking ? "with" : "without")} the capability: {WhvHResult.Name(tracked)}.";

        int Map(string what, ulong address, WhvMapGpaRangeFlags flags)
        {
            int result = partition.Map(address, flags);
            facts.Add(new PlatformFact($"map {what}", PlatformProbe.Show(result)));
            return result;
        }
    }
}
