namespace Vmm.Machines;

/// <summary>How far saving or restoring a machine has come.</summary>
/// <param name="Done">Bytes of RAM dealt with.</param>
/// <param name="Total">Bytes of RAM.</param>
public readonly record struct SaveProgress(ulong Done, ulong Total);
