using System.Runtime.CompilerServices;

namespace Vmm.Emulator.NestedPaging;

/// <summary>The table page of each level that a walk passed, indexed by the level (1 to 4); slot 0 stays unused.</summary>
[InlineArray(Length)]
internal struct TableTrail
{
    public const int Length = NestedEntry.RootLevel + 1;

    private TablePage _first;
}
