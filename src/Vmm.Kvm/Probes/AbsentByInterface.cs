namespace Vmm.Kvm.Probes;

/// <summary>
/// Why capabilities are not declared that no KVM has: what its interface does not offer. Each quirk has the name of its capability.
/// </summary>
internal static class AbsentByInterface
{
    /// <param name="limits">What the probes found, where it shows the lack at work; null before they have run.</param>
    public static IEnumerable<Quirk> Of(HostLimits? limits)
    {
        yield return For(Capability.ExecuteProtection, "Memory slots can refuse stores, not fetches.");
        yield return For(Capability.CpuidExits, "The kernel answers CPUID itself, from the list it was given.");
        yield return For(Capability.ExceptionExits, "The kernel tells of no exceptions but those of its debugger.");
        yield return For(Capability.Hypercalls, "The kernel answers hypercalls itself.") with { Evidence = Evidence(limits, Quirk.HypercallsAnswered) };
        yield return For(Capability.InstructionBudget, "A run cannot be ended after a number of instructions.");
        yield return For(Capability.InstructionCounting, "Retired instructions are not counted for the client.");
        yield return For(Capability.VirtualTime, "Guests' clocks are the host's.");
        yield return For(Capability.SlatFormatChoice, "The format of nested tables is the processor's.");
    }

    private static Quirk For(Capability capability, string words) => new(capability.Name, words);

    private static IReadOnlyList<QuirkEvidence> Evidence(HostLimits? limits, Quirk quirk) =>
        limits?.Quirks.FirstOrDefault(lost => lost.Name == quirk.Name)?.Evidence ?? [];
}
