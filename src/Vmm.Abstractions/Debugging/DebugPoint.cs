namespace Vmm;

/// <summary>A breakpoint or watchpoint of the host's debugger.</summary>
/// <param name="Kind">What hits it.</param>
/// <param name="Address">
/// Guest-linear address, segment base included; it need not be mapped. Of a watchpoint a multiple of its length.
/// </param>
/// <param name="Length">Bytes watched: 1, 2, 4 or 8; of a breakpoint 1.</param>
public readonly record struct DebugPoint(DebugPointKind Kind, ulong Address, int Length = 1);
