using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>A simulated partition: properties, then set-up, then processors and memory, over a partition of the backend behind.</summary>
internal sealed partial class SimulatedPartition(SimulatedPlatform platform)
{
    private const uint DebugExceptionBit = 2;
    private const uint X2ApicBit = 1U << 21, TscDeadlineBit = 1U << 24;

    private readonly Dictionary<uint, SimulatedProcessor> _processors = [];
    private readonly Lock _lock = new();
    private WhvExtendedVmExits _exits;
    private ulong _exceptions, _bank, _xsave;
    private WhvX64ProcessorFeatures1 _bank1;
    private bool _banksSet, _xsaveSet, _timeStopped;
    private WhvX64MsrExitBitmap _msrExits;
    private WhvMsrActionEntry[] _msrActions = [];
    private uint[] _cpuidLeaves = [];
    private uint _processorCount;
    private uint _apicMode;
    private IPartition? _inner;
    private bool _deleted;

    public SimulatedPlatform Platform => platform;

    /// <summary>The partition behind; set up.</summary>
    public IPartition Inner => _inner ?? throw new InvalidOperationException("The partition is not set up.");

    public bool IsSetUp => _inner is not null;

    public bool HasLocalApic => _apicMode != 0;

    /// <summary>Whether XSAVE is among the features that the partition's processors have.</summary>
    public bool HasXsave => !platform.IsOld && (!_xsaveSet || new WhvProcessorXsaveFeatures { AsUInt64 = _xsave }.XsaveSupport);

    // The partition behind freezes the exceptions that exit: those that may be asked for late exit from the beginning, and are given back.
    private uint LateExceptions => !platform.IsOld && platform.Inner.Capabilities.Has(Capability.ExceptionExits) ? DebugExceptionBit : 0;

    /// <summary>Whether the platform's client has asked to see an exception.</summary>
    public bool Exits(byte vector) => _exits.ExceptionExit && (Volatile.Read(ref _exceptions) >> vector & 1) != 0;

    public SimulatedProcessor? Processor(uint index)
    {
        lock (_lock)
            return _processors.GetValueOrDefault(index);
    }

    public int SetProperty(WhvPartitionPropertyCode code, ReadOnlySpan<byte> value)
    {
        // Set-up freezes what the first release froze: everything; later ones let some exits be chosen anew.
        if (IsSetUp && (platform.IsOld || code is not (WhvPartitionPropertyCode.ExtendedVmExits or WhvPartitionPropertyCode.ExceptionExitBitmap)))
            return WhvHResult.InvalidArgument;
        if (IsSetUp && IsRunning)
            return WhvHResult.InvalidVpState;
        switch (code)
        {
            case WhvPartitionPropertyCode.ProcessorCount:
                return Take(value, out _processorCount) && _processorCount is > 0 and <= 2048 ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.LocalApicEmulationMode:
                if (!Take(value, out _apicMode) || _apicMode > 2)
                    return WhvHResult.InvalidArgument;
                return _apicMode == 0 || !platform.IsOld ? WhvHResult.Ok : WhvHResult.UnsupportedHypervisorConfig;
            case WhvPartitionPropertyCode.ExtendedVmExits:
                if (!Take(value, out _exits))
                    return WhvHResult.InvalidArgument;
                ulong offered = (ulong)platform.Capability(WhvCapabilityCode.ExtendedVmExits)!;
                return (_exits.AsUInt64 & ~offered) == 0 ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.ExceptionExitBitmap:
                return Take(value, out _exceptions) && (_exceptions & ~SimulatedPlatform.Exceptions) == 0
                    ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.X64MsrExitBitmap when !platform.IsOld:
                return Take(value, out _msrExits) ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.MsrActionList when platform.IsNew:
                _msrActions = MemoryMarshal.Cast<byte, WhvMsrActionEntry>(value).ToArray();
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.CpuidExitList:
                _cpuidLeaves = MemoryMarshal.Cast<byte, uint>(value).ToArray();
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.ProcessorFeaturesBanks when !platform.IsOld:
                if (!platform.IsNew || !Take(value, out WhvProcessorFeaturesBanks banks) || banks.BanksCount != 2)
                    return WhvHResult.InvalidArgument;
                (_bank, _bank1, _banksSet) = (banks.Bank0.AsUInt64, banks.Bank1, true);
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.ProcessorXsaveFeatures when !platform.IsOld:
                _xsaveSet = true;
                return Take(value, out _xsave) ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            default:
                return WhvHResult.UnknownProperty;
        }
    }

    public int SetUp()
    {
        if (IsSetUp)
            return WhvHResult.InvalidArgument;
        if (_processorCount == 0)
            return WhvHResult.InvalidPartitionConfig;
        (ulong bank, ulong xsave) = WhvProcessorProfile.Offered(platform.Inner.Capabilities.CpuProfiles);
        CpuProfile? profile = WhvProcessorProfile.Largest(
            platform.Inner.Capabilities.CpuProfiles, _banksSet ? _bank : bank, platform.IsOld ? 0 : _xsaveSet ? _xsave : xsave);
        // Shadow stacks are a state of XSAVE that no profile switches on.
        if (profile is null || _bank1.CetSsSupport || _processorCount > platform.Inner.Capabilities.MaximumProcessors)
            return WhvHResult.UnsupportedProcessorConfig;
        _inner = platform.Inner.CreatePartition(new PartitionOptions
        {
            ProcessorCount = (int)_processorCount,
            CpuProfile = WithLocalApic(profile),
            LocalApic = HasLocalApic ? LocalApicMode.XApic : LocalApicMode.None,
            EnforceExecute = platform.Inner.Capabilities.Has(Capability.ExecuteProtection),
            HypercallExits = _exits.HypercallExit,
            ExceptionExits = (_exits.ExceptionExit ? (uint)_exceptions : 0) | LateExceptions,
            CpuidExits = _exits.X64CpuidExit ? _cpuidLeaves : [],
            MsrPolicy = new MsrPolicy
            {
                Ranges = [.. _msrActions.Select(entry => new MsrRange(entry.Index, entry.Index, Action(entry.ReadAction), Action(entry.WriteAction)))],
                Unknown = _exits.X64MsrExit && (_msrExits.UnhandledMsrs || platform.IsOld) ? MsrAction.Exit : MsrAction.Fault,
            },
        });
        return WhvHResult.Ok;
    }

    public int CreateProcessor(uint index, uint flags)
    {
        if (!IsSetUp || flags != 0 || index >= _processorCount)
            return WhvHResult.InvalidArgument;
        lock (_lock)
            return _processors.TryAdd(index, new SimulatedProcessor(this, Inner.Processors[(int)index])) ? WhvHResult.Ok : WhvHResult.VpAlreadyExists;
    }

    public int DeleteProcessor(uint index)
    {
        lock (_lock)
            return _processors.Remove(index) ? WhvHResult.Ok : WhvHResult.VpDoesNotExist;
    }

    public int RequestInterrupt(in WhvInterruptControl control)
    {
        if (!HasLocalApic)
            return WhvHResult.HvOperationDenied;
        WhvInterruptType type = (WhvInterruptType)control.Type;
        if (type is WhvInterruptType.Nmi && control.Vector != 0)
            return WhvHResult.InvalidArgument;
        InterruptDeliveryMode? mode = type switch
        {
            WhvInterruptType.Fixed => InterruptDeliveryMode.Fixed,
            WhvInterruptType.LowestPriority => InterruptDeliveryMode.LowestPriority,
            WhvInterruptType.Nmi => InterruptDeliveryMode.NonMaskable,
            WhvInterruptType.Init => InterruptDeliveryMode.Init,
            _ => null,
        };
        if (mode is null)
            return WhvHResult.InvalidArgument;
        bool vectored = type is WhvInterruptType.Fixed or WhvInterruptType.LowestPriority;
        bool isAll = control.Destination is 0xFF or uint.MaxValue;
        if ((vectored && control.Vector is < 16 or > 255) || (control.DestinationMode == 0 && control.Destination >= _processorCount && !isAll))
            return WhvHResult.HvInvalidParameter;
        Inner.RequestInterrupt(new InterruptRequest
        {
            Mode = mode.Value, Vector = (byte)control.Vector, Destination = control.Destination, Logical = control.DestinationMode != 0,
            LevelTriggered = control.TriggerMode != 0,
        });
        return WhvHResult.Ok;
    }

    public int Suspend(bool suspend)
    {
        if (!IsSetUp)
            return WhvHResult.InvalidArgument;
        if (suspend && IsRunning)
            return WhvHResult.InvalidVpState;
        lock (_lock)
            StopTime(suspend);
        return WhvHResult.Ok;
    }

    /// <summary>Time goes on with the first processor that runs.</summary>
    public void Thaw()
    {
        if (!Volatile.Read(ref _timeStopped))
            return;
        lock (_lock)
            StopTime(false);
    }

    private void StopTime(bool stop)
    {
        if (_timeStopped == stop)
            return;
        if (stop)
            Inner.SuspendTime();
        else
            Inner.ResumeTime();
        Volatile.Write(ref _timeStopped, stop);
    }

    private bool IsRunning
    {
        get
        {
            lock (_lock)
                return _processors.Values.Any(processor => processor.IsRunning);
        }
    }

    public void Delete()
    {
        lock (_lock)
        {
            _deleted = true;
            _processors.Clear();
        }
        _inner?.Dispose();
        FreeMemory();
    }

    // Local APICs know x2APIC mode only where the partition is in the mode of that name, and deadlines only where that feature is chosen.
    private CpuProfile WithLocalApic(CpuProfile profile)
    {
        if (profile.Find(1, 0) is not { } features)
            return profile;
        bool hasDeadline = HasLocalApic && platform.IsNew && (!_banksSet || _bank1.TscDeadlineTmrSupport);
        uint missing = (_apicMode == 2 ? 0 : X2ApicBit) | (hasDeadline ? 0 : TscDeadlineBit);
        return profile.WithLeaf(features with { Value = features.Value with { Ecx = features.Value.Ecx & ~missing } });
    }

    private static MsrAction Action(byte action) => (WhvMsrAction)action switch
    {
        WhvMsrAction.Exit => MsrAction.Exit,
        WhvMsrAction.IgnoreWriteReadZero => MsrAction.Ignore,
        _ => MsrAction.Allow,
    };

    private static bool Take<T>(ReadOnlySpan<byte> bytes, out T value)
        where T : unmanaged
    {
        value = default;
        if (bytes.Length < Marshal.SizeOf<T>())
            return false;
        value = MemoryMarshal.Read<T>(bytes);
        return true;
    }
}
