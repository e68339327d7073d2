namespace Vmm.X86.Execution;

/// <summary>A watchpoint of the host's debugger.</summary>
/// <param name="Address">Linear address, a multiple of the length.</param>
/// <param name="Length">Bytes: 1, 2, 4 or 8.</param>
/// <param name="WriteOnly">Loads do not hit it.</param>
public readonly record struct HostWatchpoint(ulong Address, int Length, bool WriteOnly);
