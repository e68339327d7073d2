namespace Vmm.Replay;

/// <summary>Sees the exits of a replayed guest as they are repeated.</summary>
/// <param name="processor">The processor, with the exit pending where it leaves one.</param>
/// <param name="exit">The exit.</param>
public delegate void ReplayedExit(IVirtualProcessor processor, in VpExit exit);
