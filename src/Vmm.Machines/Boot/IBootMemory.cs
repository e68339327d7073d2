namespace Vmm.Machines;

/// <summary>Guest memory as a loader sees it, before any vCPU runs.</summary>
public interface IBootMemory
{
    /// <summary>Where RAM is.</summary>
    MemoryMap Map { get; }

    /// <summary>Where the ACPI root pointer is, for boot protocols that hand it over; 0 = there is none.</summary>
    ulong AcpiRootPointer => 0;

    /// <summary>Writes bytes; the range is RAM throughout.</summary>
    /// <param name="address">The first guest-physical address.</param>
    /// <param name="data">The bytes.</param>
    void Write(ulong address, ReadOnlySpan<byte> data);

    /// <summary>Fills a range that is RAM throughout with zeros.</summary>
    /// <param name="address">The first guest-physical address.</param>
    /// <param name="length">Bytes.</param>
    void Clear(ulong address, ulong length);
}
