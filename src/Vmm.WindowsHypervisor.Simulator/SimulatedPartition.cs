using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>A simulated partition: properties, then set-up, then processors and memory, over a partition of the backend behind.</summary>
internal sealed partial class SimulatedPartition(SimulatedPlatform platform)
{
    private const uint DebugExceptionBit = 2;

    private readonly Dictionary<uint, SimulatedProcessor> _processors = [];
    private readonly Lock _lock = new();
    private WhvExtendedVmExits _exits;
    private ulong _exceptions, _bank, _xsave;
    private bool _banksSet;
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
                return Take(value, out _exceptions) ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.X64MsrExitBitmap when !platform.IsOld:
                return Take(value, out _msrExits) ? WhvHResult.Ok : WhvHResult.InvalidArgument;
            case WhvPartitionPropertyCode.MsrActionList when !platform.IsOld:
                _msrActions = MemoryMarshal.Cast<byte, WhvMsrActionEntry>(value).ToArray();
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.CpuidExitList:
                _cpuidLeaves = MemoryMarshal.Cast<byte, uint>(value).ToArray();
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.ProcessorFeaturesBanks when !platform.IsOld:
                if (!Take(value, out WhvProcessorFeaturesBanks banks) || banks.BanksCount != 2)
                    return WhvHResult.InvalidArgument;
                (_bank, _banksSet) = (banks.Bank0.AsUInt64, true);
                return WhvHResult.Ok;
            case WhvPartitionPropertyCode.ProcessorXsaveFeatures when !platform.IsOld:
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
        CpuProfile? profile = _banksSet ? WhvProcessorProfile.Largest(platform.Inner.Capabilities.CpuProfiles, _bank, _xsave) : CpuProfiles.V1;
        if (profile is null || _processorCount > platform.Inner.Capabilities.MaximumProcessors)
            return WhvHResult.UnsupportedProcessorConfig;
        _inner = platform.Inner.CreatePartition(new PartitionOptions
        {
            ProcessorCount = (int)_processorCount,
            CpuProfile = profile,
            LocalApic = (LocalApicMode)_apicMode,
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
        Inner.RequestInterrupt(new InterruptRequest
        {
            Mode = mode.Value, Vector = (byte)control.Vector, Destination = control.Destination, Logical = control.DestinationMode != 0,
            LevelTriggered = control.TriggerMode != 0,
        });
        return WhvHResult.Ok;
    }

    public int Suspend(bool suspend)
    {
        if (suspend)
            Inner.SuspendTime();
        else
            Inner.ResumeTime();
        return WhvHResult.Ok;
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
