using BenchmarkDotNet.Attributes;

namespace Vmm.Benchmarks;

/// <summary>Changes of a partition's address space, no processor running.</summary>
[MemoryDiagnoser]
public class AddressSpaceBenchmarks
{
    private BenchmarkGuest _guest = null!;

    [Params(SlatFormat.Ept, SlatFormat.Npt, SlatFormat.None)]
    public SlatFormat Format { get; set; }

    [Params(0x1000, 0x20_0000)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare() => _guest = new BenchmarkGuest(a => a.hlt(), Format);

    [GlobalCleanup]
    public void Free() => _guest.Dispose();

    [Benchmark]
    public void MapAndUnmap()
    {
        _guest.Partition.Memory.Map(BenchmarkGuest.Device, _guest.Ram, 0x20_0000, (ulong)Length, GuestAccess.ReadWrite);
        _guest.Partition.Memory.Unmap(BenchmarkGuest.Device, (ulong)Length);
    }
}
