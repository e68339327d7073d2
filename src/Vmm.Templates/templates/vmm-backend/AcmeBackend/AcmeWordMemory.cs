using Vmm;

namespace AcmeBackend;

/// <summary>The guest-physical address space. The base class has checked every argument and stopped the processors.</summary>
internal sealed class AcmeWordMemory(AcmeWordPartition partition) : SecondLevelAddressTranslationBase(partition)
{
    private readonly ISecondLevelAddressTranslation _platform = partition.Platform.Memory;

    // The platform's own affair: clients cannot choose it here.
    public override SlatFormat? Format => null;

    /// <summary>Lets go of all memory, once the platform has.</summary>
    public void Release() => ReleaseRegions();

    protected override void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access) =>
        throw Unfinished.Step(2, "mapping memory");

    protected override void UnmapCore(ulong address, ulong length) => throw Unfinished.Step(2, "unmapping memory");

    protected override void ProtectCore(ulong address, ulong length, GuestAccess access) => throw Unfinished.Step(2, "changing rights");
}
