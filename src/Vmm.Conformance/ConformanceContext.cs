using System.Text;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance;

/// <summary>What a case works with: the backend, and machines that are disposed after it.</summary>
/// <remarks>Used by the case's thread; <see cref="Start"/> may use the machines it makes elsewhere.</remarks>
public sealed class ConformanceContext
{
    private const ulong InstructionBudget = 50_000_000;
    private readonly List<GuestMachine> _machines = [];
    private readonly List<IPartition> _partitions = [];
    private readonly List<GuestThread> _threads = [];

    /// <summary>Makes a context for one case.</summary>
    /// <param name="hypervisor">The backend.</param>
    /// <param name="slatFormat">Format of the nested tables; null = the backend's default.</param>
    /// <param name="cpuProfile">Processor model; null = the backend's default.</param>
    public ConformanceContext(IHypervisor hypervisor, SlatFormat? slatFormat = null, CpuProfile? cpuProfile = null)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        CpuProfile = cpuProfile;
        Hypervisor = hypervisor;
        SlatFormat = slatFormat;
    }

    /// <summary>The backend.</summary>
    public IHypervisor Hypervisor { get; }

    /// <summary>Format of the nested tables that partitions get; null = the backend's default.</summary>
    public SlatFormat? SlatFormat { get; }

    /// <summary>Processor model that partitions get; null = the backend's default.</summary>
    public CpuProfile? CpuProfile { get; }

    /// <summary>What the backend declares.</summary>
    public HypervisorCapabilities Capabilities => Hypervisor.Capabilities;

    /// <summary>Whether a capability is declared.</summary>
    public bool Has(Capability capability) => Capabilities.Has(capability);

    /// <summary>
    /// The options that cases start from: the context's format and, where runs can be bounded, an instruction budget, so that a lost
    /// guest ends.
    /// </summary>
    public PartitionOptions DefaultOptions => new()
    {
        SlatFormat = SlatFormat,
        CpuProfile = CpuProfile,
        InstructionBudget = Has(Capability.InstructionBudget) ? InstructionBudget : 0,
    };

    /// <summary>Creates a partition that is disposed after the case.</summary>
    public IPartition CreatePartition(Func<PartitionOptions, PartitionOptions>? configure = null)
    {
        PartitionOptions options = DefaultOptions;
        IPartition partition = Hypervisor.CreatePartition(configure is null ? options : configure(options));
        lock (_partitions)
            _partitions.Add(partition);
        return partition;
    }

    /// <summary>Creates a partition with memory.</summary>
    public GuestMachine CreateMachine(Func<PartitionOptions, PartitionOptions>? configure = null)
    {
        GuestMachine machine = new(CreatePartition(configure));
        lock (_partitions)
            _machines.Add(machine);
        return machine;
    }

    /// <summary>Creates a machine whose first processor will start with the given code in the given mode.</summary>
    public GuestMachine Enter(
        GuestMode mode, Action<Assembler> build, bool user = false, Func<PartitionOptions, PartitionOptions>? configure = null)
    {
        GuestMachine machine = CreateMachine(configure);
        machine.Enter(mode, build, user);
        return machine;
    }

    /// <summary>Does something on another thread.</summary>
    public GuestThread Start(string name, Action action)
    {
        GuestThread thread = new(name, action);
        lock (_partitions)
            _threads.Add(thread);
        return thread;
    }

    /// <summary>What CPUID answers in a guest.</summary>
    public CpuidResult GuestCpuid(uint leaf, uint subleaf = 0, Func<PartitionOptions, PartitionOptions>? configure = null)
    {
        GuestMachine machine = Enter(
            GuestMode.Protected32,
            a =>
            {
                a.cpuid();
                a.@out((byte)GuestLayout.MarkPort, al);
            },
            configure: configure);
        machine[Register.Rax] = leaf;
        machine[Register.Rcx] = subleaf;
        machine.RunToMark();
        return new CpuidResult(
            (uint)machine[Register.Rax], (uint)machine[Register.Rbx], (uint)machine[Register.Rcx], (uint)machine[Register.Rdx]);
    }

    /// <summary>Skips the case: the processor model lacks what it is about.</summary>
    public static void SkipUnless(bool condition, string reason)
    {
        if (!condition)
            throw new CaseSkippedException(reason);
    }

    internal void CancelAll()
    {
        foreach (IPartition partition in Snapshot())
        {
            try
            {
                foreach (IVirtualProcessor processor in partition.Processors)
                    processor.Cancel();
            }
#pragma warning disable CA1031 // the watchdog tries everything it can
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    internal string Describe()
    {
        StringBuilder text = new();
        lock (_partitions)
        {
            for (int i = 0; i < _machines.Count; i++)
            {
                if (_machines.Count > 1)
                    text.AppendLine($"Machine {i + 1} of {_machines.Count}:");
                text.Append(_machines[i].Dump());
            }
        }
        return text.ToString();
    }

    internal void DisposeAll()
    {
        foreach (GuestMachine machine in _machines.ToArray())
            machine.Dispose();
        foreach (IPartition partition in Snapshot())
            partition.Dispose();
    }

    private IPartition[] Snapshot()
    {
        lock (_partitions)
            return [.. _partitions];
    }
}
