namespace Vmm.Testing;

/// <summary>The address space of a <see cref="ScriptedPartition"/>: the base class's regions, with no guest that could see them.</summary>
public sealed class ScriptedMemory : SecondLevelAddressTranslationBase
{
    internal ScriptedMemory(ScriptedPartition partition)
        : base(partition)
    {
    }

    /// <inheritdoc/>
    public override SlatFormat? Format => null;

    /// <inheritdoc/>
    protected override void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access)
    {
    }

    /// <inheritdoc/>
    protected override void UnmapCore(ulong address, ulong length)
    {
    }

    /// <inheritdoc/>
    protected override void ProtectCore(ulong address, ulong length, GuestAccess access)
    {
    }

    internal void Release() => ReleaseRegions();
}
