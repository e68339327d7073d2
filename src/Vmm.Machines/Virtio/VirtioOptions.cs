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

    /// <summary>Takes what the guest sends to a virtio console; null = there is no such console.</summary>
    public SerialOutput? ConsoleOutput { get; init; }

    /// <summary>
    /// What a network card is plugged into; null = there is no card. It stays the caller's to dispose, after the machine.
    /// </summary>
    public INetworkLink? Network { get; init; }

    /// <summary>The card's six-byte address; empty = a random one.</summary>
    public ReadOnlyMemory<byte> NetworkAddress { get; init; }

    internal void RequireValid(bool isDeterministic)
    {
        if (isDeterministic && Network is not null)
            throw new ArgumentException("A deterministic machine takes no network card: what comes from outside would differ.");
        if (Disks.Count > MaximumDisks)
            throw new ArgumentException($"A machine takes at most {MaximumDisks} disks, and {Disks.Count} were given.");
    }
}
