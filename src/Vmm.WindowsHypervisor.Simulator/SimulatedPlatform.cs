using System.Collections.Concurrent;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>One simulated platform: its abilities, its partitions by handle, its disturbances.</summary>
/// <remarks>The functions without a handle act on the platform that the calling thread has entered.</remarks>
internal sealed class SimulatedPlatform(IHypervisor inner, SimulatorOptions options)
{
    private static readonly ConcurrentDictionary<nint, SimulatedPartition> s_partitions = new();
    private static long s_lastHandle = 0x1000;

    [ThreadStatic]
    private static SimulatedPlatform? t_current;

    private static SimulatedPlatform? s_default;

    private readonly ConcurrentQueue<Exception> _faults = new();
    private readonly Random? _random = options.DisturbanceSeed is { } seed ? new Random(seed) : null;
    private readonly Lock _lock = new();
    private int _calls;
    private int _live;

    public static SimulatedPlatform? Current => t_current ?? Volatile.Read(ref s_default);

    public IHypervisor Inner { get; } = inner;

    public SimulatorOptions Options { get; } = options;

    public bool IsOld => Options.Release == WindowsRelease.Windows10Version1803;

    /// <summary>Processor features can be chosen, and registers of the last releases are there.</summary>
    public bool IsNew => Options.Release == WindowsRelease.Windows11;

    /// <summary>Exceptions that can be made to exit: those that the headers name.</summary>
    public const ulong Exceptions = 0xF_7DFB;

    public int Calls => Volatile.Read(ref _calls);

    public int LivePartitions => Volatile.Read(ref _live);

    public IReadOnlyCollection<Exception> Faults => _faults;

    /// <summary>The partition of a handle; null for one that was deleted or never made.</summary>
    public static SimulatedPartition? Find(nint handle) => s_partitions.GetValueOrDefault(handle);

    /// <summary>Makes this the platform of the calling thread until the scope is left.</summary>
    public Scope Enter() => new(this);

    /// <summary>Makes a platform the one of threads that have entered none, for callers that know nothing of simulation.</summary>
    public static IDisposable MakeDefault(IHypervisor inner, SimulatorOptions options)
    {
        Volatile.Write(ref s_default, new SimulatedPlatform(inner, options));
        return new DefaultPlatform();
    }

    /// <summary>Counts a call. False: it shall fail.</summary>
    public bool Count() => Interlocked.Increment(ref _calls) != Options.FailingCall;

    public int Record(Exception fault)
    {
        _faults.Enqueue(fault);
        return WhvHResult.Unexpected;
    }

    /// <summary>Once in so many, where disturbances are on.</summary>
    public bool Chance(int oneIn)
    {
        if (_random is null)
            return false;
        lock (_lock)
            return _random.Next(oneIn) == 0;
    }

    public nint CreatePartition()
    {
        nint handle = (nint)Interlocked.Add(ref s_lastHandle, 8);
        s_partitions[handle] = new SimulatedPartition(this);
        Interlocked.Increment(ref _live);
        return handle;
    }

    public int DeletePartition(nint handle)
    {
        if (!s_partitions.TryRemove(handle, out SimulatedPartition? partition))
            return WhvHResult.InvalidArgument;
        partition.Delete();
        Interlocked.Decrement(ref _live);
        return WhvHResult.Ok;
    }

    /// <summary>Whether some other partition of the process has memory mapped.</summary>
    public bool AnotherIsMapped(SimulatedPartition partition) =>
        !Options.SeveralMappedPartitions && s_partitions.Values.Any(other => other != partition && other.HasMappings);

    /// <summary>Shows the processors behind what the host writes, as the bus shows it to real ones.</summary>
    public static void Watch(WhvPartition partition)
    {
        if (Find(partition.Handle) is { } simulated)
            partition.NestedMemory.HostWrote = simulated.NoticeHostWrite;
    }

    /// <summary>A capability's value; null where this release does not know it.</summary>
    public object? Capability(WhvCapabilityCode code)
    {
        HypervisorCapabilities inner = Inner.Capabilities;
        return code switch
        {
            WhvCapabilityCode.HypervisorPresent => 1U,
            WhvCapabilityCode.Features => new WhvCapabilityFeatures
            {
                PartialUnmap = !IsOld, Xsave = !IsOld,
                LocalApicEmulation = !IsOld && inner.Has(Vmm.Capability.LocalApic),
                DirtyPageTracking = !IsOld && inner.Has(Vmm.Capability.DirtyTracking),
            }.AsUInt64,
            WhvCapabilityCode.ExtendedVmExits => new WhvExtendedVmExits
            {
                X64CpuidExit = inner.Has(Vmm.Capability.CpuidExits),
                X64MsrExit = inner.Has(Vmm.Capability.MsrExits),
                ExceptionExit = inner.Has(Vmm.Capability.ExceptionExits),
                HypercallExit = !IsOld && inner.Has(Vmm.Capability.Hypercalls),
            }.AsUInt64,
            // The first release lets them exit and tells none.
            WhvCapabilityCode.ExceptionExitBitmap => IsOld || !inner.Has(Vmm.Capability.ExceptionExits) ? 0UL : Exceptions,
            WhvCapabilityCode.X64MsrExitBitmap when !IsOld => new WhvX64MsrExitBitmap { UnhandledMsrs = true }.AsUInt64,
            WhvCapabilityCode.ProcessorFeatures => WhvProcessorProfile.Offered(inner.CpuProfiles).Bank,
            // Windows 10 answers, with a count that makes no sense.
            WhvCapabilityCode.ProcessorFeaturesBanks when !IsOld => new WhvProcessorFeaturesBanks
            {
                BanksCount = IsNew ? 2U : (uint)WhvProcessorProfile.Offered(inner.CpuProfiles).Bank,
                Bank0 = new WhvX64ProcessorFeatures { AsUInt64 = WhvProcessorProfile.Offered(inner.CpuProfiles).Bank },
                Bank1 = new WhvX64ProcessorFeatures1 { TscDeadlineTmrSupport = IsNew, CetSsSupport = IsNew },
            },
            WhvCapabilityCode.ProcessorXsaveFeatures => IsOld ? 0UL : WhvProcessorProfile.Offered(inner.CpuProfiles).Xsave,
            WhvCapabilityCode.ProcessorClockFrequency => CpuProfiles.V1.TimeStampCounterFrequency,
            WhvCapabilityCode.InterruptClockFrequency when !IsOld => CpuProfiles.V1.ApicTimerFrequency,
            WhvCapabilityCode.PhysicalAddressWidth when !IsOld => (uint)inner.PhysicalAddressBits,
            _ => null,
        };
    }

    private sealed class DefaultPlatform : IDisposable
    {
        public void Dispose() => Volatile.Write(ref s_default, null);
    }

    /// <summary>The stay of a thread in a platform.</summary>
    internal readonly struct Scope : IDisposable
    {
        private readonly SimulatedPlatform? _before;

        public Scope(SimulatedPlatform platform)
        {
            _before = t_current;
            t_current = platform;
        }

        public void Dispose() => t_current = _before;
    }
}
