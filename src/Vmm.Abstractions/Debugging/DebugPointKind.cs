namespace Vmm;

/// <summary>What hits a <see cref="DebugPoint"/>.</summary>
public enum DebugPointKind
{
    /// <summary>
    /// An instruction that begins there is about to run: the exit comes before it, also when a run begins there. Needs
    /// <see cref="Capability.Breakpoints"/>.
    /// </summary>
    Execute,

    /// <summary>A store overlaps it: the exit comes after the instruction. Needs <see cref="Capability.Watchpoints"/>.</summary>
    Write,

    /// <summary>A load or store overlaps it: the exit comes after the instruction. Needs <see cref="Capability.Watchpoints"/>.</summary>
    Access,
}
