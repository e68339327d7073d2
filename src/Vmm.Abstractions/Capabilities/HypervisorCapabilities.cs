using System.Collections.Frozen;

namespace Vmm;

/// <summary>What a backend can do on this host. Immutable.</summary>
public sealed class HypervisorCapabilities
{
    private readonly FrozenSet<Capability> _declared;

    /// <summary>Declares capabilities.</summary>
    public HypervisorCapabilities(string backend, IEnumerable<Capability> declared)
    {
        ArgumentException.ThrowIfNullOrEmpty(backend);
        ArgumentNullException.ThrowIfNull(declared);
        Backend = backend;
        _declared = declared.ToFrozenSet();
    }

    /// <summary>Backend name.</summary>
    public string Backend { get; }

    /// <summary>The declared capabilities.</summary>
    public IReadOnlyCollection<Capability> Declared => _declared;

    /// <summary>Most processors of one partition.</summary>
    public int MaximumProcessors { get; init; } = 1;

    /// <summary>Guest-physical address width in bits: mappings end below 2 to this.</summary>
    public int PhysicalAddressBits { get; init; } = 40;

    /// <summary>Exceptions that can exit: bit n is vector n.</summary>
    public uint InterceptableExceptions { get; init; }

    /// <summary>Most breakpoints and watchpoints that the host's debugger can have on one processor at a time.</summary>
    public int DebugPointLimit { get; init; }

    /// <summary>Formats that <see cref="PartitionOptions.SlatFormat"/> may name; the first is the default.</summary>
    public IReadOnlyList<SlatFormat> SlatFormats { get; init; } = [];

    /// <summary>Names of the CPU profiles that the backend can provide; the first is the default.</summary>
    public IReadOnlyList<string> CpuProfiles { get; init; } = [];

    /// <summary>Ways in which the platform differs.</summary>
    public IReadOnlyList<Quirk> Quirks { get; init; } = [];

    /// <summary>The same under another name: for a backend in front of another one.</summary>
    /// <param name="backend">The name of the backend in front.</param>
    /// <param name="declared">What it declares; null for everything that the one behind does.</param>
    public HypervisorCapabilities For(string backend, IEnumerable<Capability>? declared = null) => new(backend, declared ?? _declared)
    {
        MaximumProcessors = MaximumProcessors,
        PhysicalAddressBits = PhysicalAddressBits,
        InterceptableExceptions = InterceptableExceptions,
        SlatFormats = SlatFormats,
        CpuProfiles = CpuProfiles,
        Quirks = Quirks,
        DebugPointLimit = DebugPointLimit,
    };

    /// <summary>Whether a capability is declared.</summary>
    public bool Has(Capability capability) => _declared.Contains(capability);

    /// <summary>Throws unless a capability is declared.</summary>
    /// <exception cref="NotSupportedException">It is not; the message names it.</exception>
    public void Require(Capability capability)
    {
        ArgumentNullException.ThrowIfNull(capability);
        if (!Has(capability))
            throw new NotSupportedException($"The {Backend} backend does not have the capability '{capability.Name}': {capability.Description}");
    }
}
