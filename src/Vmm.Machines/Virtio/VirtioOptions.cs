using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>The virtio devices of a machine.</summary>
public sealed record VirtioOptions
{
    /// <summary>The most disks that a machine takes.</summary>
    public const int MaximumDisks = 24;

    /// <summary>How the guest finds them.</summary>
    public VirtioTransportKind Transport { get; init; }

    /// <summary>The disks, in the order in which the guest numbers them. They stay the caller's to dispose, after the machine.</summary>
    public IReadOnlyList<DiskImage> Disks { get; init; } = [];

    /// <summary>Whether there is a source of random numbers.</summary>
    public bool HasEntropy { get; init; } = true;

    /// <summary>Where random numbers come from; null = the host's cryptographic generator.</summary>
    public EntropySource? Entropy { get; init; }

    internal void RequireValid()
    {
        if (Disks.Count > MaximumDisks)
            throw new ArgumentException($"A machine takes at most {MaximumDisks} disks, and {Disks.Count} were given.", nameof(Disks));
    }
}
