namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Something seen: a call or a state, and what came of it.</summary>
/// <param name="What">What was done or looked at.</param>
/// <param name="Result">What was seen.</param>
internal sealed record PlatformFact(string What, string Result);
