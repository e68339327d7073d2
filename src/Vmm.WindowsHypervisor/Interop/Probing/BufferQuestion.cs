namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>The question about sizes of buffers.</summary>
internal static unsafe class BufferQuestion
{
    private const int UnionBytes = 48, CapabilityBytes = 24;

    // Those whose value is of a fixed size, with that size and a value that any platform takes.
    private static readonly (WhvPartitionPropertyCode Code, uint Size, ulong Value)[] s_properties =
    [
        (WhvPartitionPropertyCode.ProcessorCount, 4, 1), (WhvPartitionPropertyCode.LocalApicEmulationMode, 4, 0),
        (WhvPartitionPropertyCode.ExtendedVmExits, 8, 0), (WhvPartitionPropertyCode.ExceptionExitBitmap, 8, 0),
        (WhvPartitionPropertyCode.X64MsrExitBitmap, 8, 0), (WhvPartitionPropertyCode.SeparateSecurityDomain, 4, 0),
        (WhvPartitionPropertyCode.NestedVirtualization, 4, 0), (WhvPartitionPropertyCode.ApicRemoteReadSupport, 4, 0),
        (WhvPartitionPropertyCode.AllowDeviceAssignment, 4, 0), (WhvPartitionPropertyCode.DisableSmt, 4, 0),
        (WhvPartitionPropertyCode.ProcessorFeatures, 8, 0), (WhvPartitionPropertyCode.ProcessorClFlushSize, 1, 8),
        (WhvPartitionPropertyCode.ProcessorXsaveFeatures, 8, 0), (WhvPartitionPropertyCode.ProcessorClockFrequency, 8, 0),
        (WhvPartitionPropertyCode.InterruptClockFrequency, 8, 0), (WhvPartitionPropertyCode.ProcessorFeaturesBanks, 24, 2),
        (WhvPartitionPropertyCode.SyntheticProcessorFeaturesBanks, 16, 1), (WhvPartitionPropertyCode.UnimplementedMsrAction, 4, 0),
        (WhvPartitionPropertyCode.PhysicalAddressWidth, 4, 0),
    ];

    /// <summary>Whether buffers may be smaller than the union that the headers declare.</summary>
    public static PlatformQuestion ExactSizes { get; } = new(
        "h", "Are buffers of a value's own size taken for every property and capability?",
        "Read each capability, and read and write back each property of a new partition, with the value's own size and with the union's.",
        false, Try);

    private static string? Try(PlatformProbe probe, List<PlatformFact> facts)
    {
        List<string> differing = [];
        int compared = 0;
        using AlignedBytes memory = new(UnionBytes * 2);
        ulong* buffer = (ulong*)memory.Address;
        byte* copy = memory.Address + UnionBytes;
        foreach (WhvCapabilityCode code in Enum.GetValues<WhvCapabilityCode>())
            Compare($"capability {code}", size => Capability(probe, code, buffer, size));
        foreach ((WhvPartitionPropertyCode code, uint size, ulong value) in s_properties)
        {
            nint handle;
            WhvPlatform.Check(probe.Api.CreatePartition(&handle), "WHvCreatePartition");
            try
            {
                uint written = 0;
                memory.Clear();
                *buffer = value;
                // Where the platform tells the present value, that one is written back.
                int read = probe.Api.GetPartitionProperty(handle, code, buffer, UnionBytes, &written);
                if (read < 0)
                {
                    memory.Clear();
                    *buffer = value;
                }
                uint own = read >= 0 && written is > 0 and <= UnionBytes ? written : size;
                uint unused = 0;
                Note($"get {code}", probe.Api.GetPartitionProperty(handle, code, copy, own, &unused), read, own, UnionBytes);
                int exact = probe.Api.SetPartitionProperty(handle, code, buffer, own);
                Note($"set {code}", exact, probe.Api.SetPartitionProperty(handle, code, buffer, UnionBytes), own, UnionBytes);
            }
            finally
            {
                _ = probe.Api.DeletePartition(handle);
            }
        }
        return differing.Count == 0
            ? $"Yes: both sizes gave the same result in all {compared} comparisons."
            : $"No: {string.Join(", ", differing)} of {compared} comparisons differ.";

        void Compare(string what, Func<uint, (int Result, uint Written)> call)
        {
            (int whole, uint written) = call(CapabilityBytes);
            if (whole >= 0 && written is > 0 and <= CapabilityBytes)
                Note(what, call(written).Result, whole, written, CapabilityBytes);
            else
                facts.Add(new PlatformFact(what, $"with {CapabilityBytes} bytes {PlatformProbe.Show(whole)}, {written} bytes told"));
        }

        void Note(string what, int exact, int whole, uint own, uint union)
        {
            compared++;
            facts.Add(new PlatformFact(what, exact == whole
                ? $"with {own} and with {union} bytes {PlatformProbe.Show(exact)}"
                : $"with {own} bytes {PlatformProbe.Show(exact)}, with {union} {PlatformProbe.Show(whole)}"));
            if (exact != whole)
                differing.Add(what);
        }
    }

    private static (int Result, uint Written) Capability(PlatformProbe probe, WhvCapabilityCode code, void* buffer, uint size)
    {
        uint written = 0;
        int result = probe.Api.GetCapability(code, buffer, size, &written);
        return (result, written);
    }
}
