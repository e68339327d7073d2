using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Memory;
using Vmm.WindowsHypervisor.Processors;
using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor;

/// <summary>A partition of the platform.</summary>
internal sealed unsafe partial class WhvPartition : PartitionBase
{
    private const uint WidthLeaf = 0x8000_0008;
    private const uint X2ApicBit = 1U << 21, TscDeadlineBit = 1U << 24;

    private readonly WhvMemory _memory;
    private readonly WhvVirtualProcessor[] _processors;
    private readonly int _created;
    private nint _handle;
    private bool _x2Apic; // the platform's local APICs know x2APIC mode
    private bool _timeSuspended;
    private readonly Lock _late = new();
    private bool _interceptsDebug;

    public WhvPartition(WindowsHypervisorBackend hypervisor, PartitionOptions options)
        : base(hypervisor, options)
    {
        Platform = hypervisor.Platform;
        Profile = Adapt(options.CpuProfile ?? CpuProfiles.V1);
        _handle = CreateHandle();
        _memory = new WhvMemory(this);
        _processors = new WhvVirtualProcessor[options.ProcessorCount];
        try
        {
            SetUp();
            Model = CreateModel();
            for (int i = 0; i < _processors.Length; i++)
            {
                WhvPlatform.Check(Platform.Api.CreateVirtualProcessor(_handle, (uint)i, 0), "WHvCreateVirtualProcessor", $"processor {i}");
                _created++;
                _processors[i] = new WhvVirtualProcessor(this, i);
            }
            foreach (WhvVirtualProcessor processor in _processors)
                processor.Reset();
        }
        catch
        {
            Free();
            throw;
        }
        SetProcessors(_processors);
    }

    public override CpuProfile CpuProfile => Profile;

    public override ISecondLevelAddressTranslation Memory => _memory;

    public WhvMemory NestedMemory => _memory;

    public WhvPlatform Platform { get; }

    /// <summary>The platform's handle.</summary>
    public nint Handle => _handle;

    /// <summary>The profile with the host's clocks.</summary>
    public CpuProfile Profile { get; }

    public CpuidModel Model { get; }

    /// <summary>Whether a local APIC's timer takes deadlines.</summary>
    public bool HasTscDeadline => HasLocalApic && Model.Has(CpuFeature.TscDeadline);

    public bool HasLocalApic => Options.LocalApic != LocalApicMode.None;

    /// <summary>From now on #DB exits on every processor, whoever caused it.</summary>
    public void InterceptDebugExceptions()
    {
        lock (_late)
        {
            if (_interceptsDebug)
                return;
            // Exits are not changed under running processors.
            BeginStop();
            try
            {
                Set(WhvPartitionPropertyCode.ExtendedVmExits, Exits(exceptions: true));
                Set(WhvPartitionPropertyCode.ExceptionExitBitmap, (ulong)Options.ExceptionExits | (1UL << ExceptionVector.Debug));
            }
            finally
            {
                EndStop();
            }
            _interceptsDebug = true;
        }
    }

    protected override GuestMemory AllocateMemoryCore(ulong length, GuestMemoryOptions options) =>
        WhvGuestMemory.Allocate(Platform, length);

    // Time stands still meanwhile, so that the time-stamp counters of all processors start together.
    protected override void ResetCore()
    {
        bool stopped = Platform.HasTimeControl && Platform.Api.SuspendPartitionTime(_handle) >= 0;
        try
        {
            foreach (WhvVirtualProcessor processor in _processors)
                processor.Reset();
        }
        finally
        {
            if (stopped && !_timeSuspended)
                Platform.Api.ResumePartitionTime(_handle);
        }
    }

    protected override void RequestInterruptCore(in InterruptRequest request)
    {
        WhvInterruptControl control = new()
        {
            Type = (byte)(request.Mode switch
            {
                InterruptDeliveryMode.Fixed => WhvInterruptType.Fixed,
                InterruptDeliveryMode.LowestPriority => WhvInterruptType.LowestPriority,
                InterruptDeliveryMode.NonMaskable => WhvInterruptType.Nmi,
                InterruptDeliveryMode.Init => WhvInterruptType.Init,
                _ => throw new ArgumentOutOfRangeException(
                    nameof(request), request.Mode, "The platform takes Fixed, LowestPriority, NonMaskable and Init; external interrupts come from ExternalInterruptSource."),
            }),
            DestinationMode = (byte)(request.Logical ? WhvInterruptDestinationMode.Logical : WhvInterruptDestinationMode.Physical),
            TriggerMode = (byte)(request.LevelTriggered ? WhvInterruptTriggerMode.Level : WhvInterruptTriggerMode.Edge),
            Destination = request.Destination,
            Vector = request.Mode == InterruptDeliveryMode.NonMaskable ? 0U : request.Vector,
        };
        int result = Platform.Api.RequestInterrupt(_handle, &control, (uint)sizeof(WhvInterruptControl));
        // A message that no local APIC takes is lost without a word on a real bus; the platform has one for it.
        if (result != WhvHResult.HvInvalidParameter)
            WhvPlatform.Check(result, "WHvRequestInterrupt", $"vector {request.Vector}");
    }

    protected override void SuspendTimeCore()
    {
        BeginStop();
        try
        {
            WhvPlatform.Check(Platform.Api.SuspendPartitionTime(_handle), "WHvSuspendPartitionTime");
            _timeSuspended = true;
        }
        finally
        {
            EndStop();
        }
    }

    protected override void ResumeTimeCore()
    {
        WhvPlatform.Check(Platform.Api.ResumePartitionTime(_handle), "WHvResumePartitionTime");
        _timeSuspended = false;
    }

    protected override void DisposeCore() => Free();

    // The profile with what is the host's own: its clocks, and an address width that its mappings can have.
    private CpuProfile Adapt(CpuProfile profile)
    {
        if (Platform.ProcessorClockFrequency != 0)
        {
            profile = profile.WithClocks(
                Platform.ProcessorClockFrequency,
                Platform.InterruptClockFrequency == 0 ? profile.ApicTimerFrequency : Platform.InterruptClockFrequency);
        }
        if (profile.PhysicalAddressBits <= Platform.PhysicalAddressBits || profile.Find(WidthLeaf, 0) is not { } widths)
            return profile;
        CpuidResult value = widths.Value with { Eax = (widths.Value.Eax & ~0xFFU) | (uint)Platform.PhysicalAddressBits };
        return profile.WithLeaf(widths with { Value = value }) with { PhysicalAddressBits = Platform.PhysicalAddressBits };
    }

    // What the guest is shown: the profile without what its local APIC does not have.
    private CpuidModel CreateModel()
    {
        uint missing = (HasLocalApic && _x2Apic ? 0 : X2ApicBit) | (HasLocalApic && Platform.HasTscDeadline ? 0 : TscDeadlineBit);
        return new CpuidModel(Profile.Leaves.Select(leaf =>
        {
            CpuidResult value = leaf.Value;
            return new CpuidRow(leaf.Leaf, leaf.Subleaf, value.Eax, value.Ebx, leaf.Leaf == 1 ? value.Ecx & ~missing : value.Ecx, value.Edx);
        }));
    }

    private nint CreateHandle()
    {
        nint handle = 0;
        WhvPlatform.Check(Platform.Api.CreatePartition(&handle), "WHvCreatePartition");
        return handle;
    }

    private void Free()
    {
        // Results do not matter any more: whatever fails here is gone with the partition.
        for (int i = 0; i < _created; i++)
        {
            _processors[i]?.Close();
            Platform.Api.DeleteVirtualProcessor(_handle, (uint)i);
        }
        if (_handle != 0)
            Platform.Api.DeletePartition(_handle);
        _memory.Free();
        foreach (WhvVirtualProcessor? processor in _processors)
            processor?.Dispose();
    }
}
