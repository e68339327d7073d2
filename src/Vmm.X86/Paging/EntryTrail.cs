using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <summary>One value for each level of a walk, indexed by the level (1 to 5); slot 0 stays unused.</summary>
[InlineArray(Length)]
internal struct EntryTrail
{
    public const int Length = 6;

    private ulong _first;
}
