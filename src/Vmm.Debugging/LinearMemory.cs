namespace Vmm.Debugging;

/// <summary>Guest memory as a debugger sees it: by linear address of a processor at rest, whatever the pages' rights.</summary>
public static class LinearMemory
{
    private const ulong PageSize = 4096;

    /// <summary>Copies guest memory out, up to the first byte that is not mapped to memory.</summary>
    /// <param name="processor">The processor whose page tables count; at rest.</param>
    /// <param name="address">Linear address, segment base included.</param>
    /// <param name="destination">Where to.</param>
    /// <returns>Bytes copied.</returns>
    public static int Read(IVirtualProcessor processor, ulong address, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(processor);
        int done = 0;
        while (done < destination.Length)
        {
            int piece = (int)Math.Min(PageSize - (address & (PageSize - 1)), (ulong)(destination.Length - done));
            if (!TryTranslate(processor, address, out ulong physical) || !TryRead(processor.Partition, physical, destination.Slice(done, piece)))
                break;
            done += piece;
            address += (ulong)piece;
        }
        return done;
    }

    /// <summary>Copies into guest memory, also where the guest itself may not write.</summary>
    /// <param name="processor">The processor whose page tables count; at rest.</param>
    /// <param name="address">Linear address, segment base included.</param>
    /// <param name="source">What.</param>
    /// <returns>False when a byte is not mapped to memory; nothing was written then.</returns>
    public static bool TryWrite(IVirtualProcessor processor, ulong address, ReadOnlySpan<byte> source)
    {
        ArgumentNullException.ThrowIfNull(processor);
        Span<byte> probe = stackalloc byte[1];
        for (int pass = 0; pass < 2; pass++)
        {
            ulong linear = address;
            for (int done = 0; done < source.Length;)
            {
                int piece = (int)Math.Min(PageSize - (linear & (PageSize - 1)), (ulong)(source.Length - done));
                if (!TryTranslate(processor, linear, out ulong physical) || !TryRead(processor.Partition, physical, probe))
                    return false;
                if (pass == 1)
                    processor.Partition.Memory.Write(physical, source.Slice(done, piece));
                done += piece;
                linear += (ulong)piece;
            }
        }
        return true;
    }

    /// <summary>Copies guest-physical memory out.</summary>
    /// <returns>False when the range touches a hole.</returns>
    internal static bool TryRead(IPartition partition, ulong physical, Span<byte> destination)
    {
        try
        {
            partition.Memory.Read(physical, destination);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool TryTranslate(IVirtualProcessor processor, ulong linear, out ulong physical)
    {
        LinearTranslationResult result = processor.Translate(linear, GuestAccess.None);
        physical = result.PhysicalAddress;
        return result.Status == TranslationStatus.Success;
    }
}
