namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>What an experiment showed.</summary>
/// <param name="Answer">The answer in one sentence; null where this platform does not let the experiment decide.</param>
/// <param name="Facts">All that was seen, in order.</param>
internal sealed record PlatformAnswer(string? Answer, IReadOnlyList<PlatformFact> Facts);
