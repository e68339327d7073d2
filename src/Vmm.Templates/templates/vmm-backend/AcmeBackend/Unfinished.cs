using Vmm;

namespace AcmeBackend;

/// <summary>What members say until they are written. Delete this file with the last of them.</summary>
internal static class Unfinished
{
    public static HypervisorException Step(int step, string operation) =>
        new("acme-word", operation, hint: $"It is not written yet: step {step} of the guide \"Write a backend\".");
}
