namespace Vmm.Emulator.NestedPaging;

/// <summary>What is done to every page of a range.</summary>
internal enum NestedChangeKind : byte
{
    /// <summary>Map it, whatever was there.</summary>
    Map,

    /// <summary>Remove it.</summary>
    Unmap,

    /// <summary>Change its rights.</summary>
    Protect,

    /// <summary>Turn dirty logging on or off.</summary>
    Log,
}
