namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Something about the platform that its documentation leaves open.</summary>
/// <param name="Id">A letter.</param>
/// <param name="Text">The question.</param>
/// <param name="Experiment">How it is tried.</param>
/// <param name="MayEndProcess">It does what a program must not do: the platform may end the process, or keep a call for ever.</param>
/// <param name="Try">
/// Tries it on the calling thread: adds what it sees, and returns the answer. May throw <see cref="HypervisorException"/> where not even
/// the partition for it could be made.
/// </param>
internal sealed record PlatformQuestion(
    string Id, string Text, string Experiment, bool MayEndProcess, Func<PlatformProbe, List<PlatformFact>, string?> Try);
