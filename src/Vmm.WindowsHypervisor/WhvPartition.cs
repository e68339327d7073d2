using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Memory;
using Vmm.WindowsHypervisor.Processors;
using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor;

/// <summary>A partition of the platform.</summary>
internal sealed unsafe class WhvPartition : PartitionBase
{
    private const uint WidthLeaf = 0x8000_0008;

    private readonly WhvMemory _memory;
    private readonly WhvVirtualProcessor[] _processors;
    private readonly nint _handle;
    private readonly int _created;
    private readonly Lock _late = new();
    private bool _interceptsDebug;

    public WhvPartition(WindowsHypervisorBackend hypervisor, PartitionOptions options)
        : base(hypervisor, options)
    {
        Platform = hypervisor.Platform;
        Profile = Adapt(options.CpuProfile ?? CpuProfiles.V1);
        uint withoutApic = options.LocalApic == LocalApicMode.None ? (1U << 21) | (1U << 24) : 0;
        Model = new CpuidModel(Profile.Leaves.Select(leaf => new CpuidRow(
            leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx, leaf.Leaf == 1 ? leaf.Value.Ecx & ~withoutApic : leaf.Value.Ecx, leaf.Value.Edx)));
        nint handle = 0;
        WhvPlatform.Check(Platform.Api.CreatePartition(&handle), "WHvCreatePartition");
        _handle = handle;
        _memory = new WhvMemory(this);
        _processors = new WhvVirtualProcessor[options.ProcessorCount];
        try
        {
            Configure();
            WhvPlatform.Check(Platform.Api.SetupPartition(_handle), "WHvSetupPartition");
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

    public bool HasLocalApic => Options.LocalApic != LocalApicMode.None;

    /// <summary>From now on #DB exits on every processor, whoever caused it.</summary>
    public void InterceptDebugExceptions()
    {
        lock (_late)
        {
            if (_interceptsDebug)
                return;
            Set(WhvPartitionPropertyCode.ExtendedVmExits, Exits(exceptions: true));
            Set(WhvPartitionPropertyCode.ExceptionExitBitmap, (ulong)Options.ExceptionExits | (1UL << ExceptionVector.Debug));
            _interceptsDebug = true;
        }
    }

    protected override GuestMemory AllocateMemoryCore(ulong length, GuestMemoryOptions options) =>
        WhvGuestMemory.Allocate(Platform, length);

    protected override void ResetCore()
    {
        foreach (WhvVirtualProcessor processor in _processors)
            processor.Reset();
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
        WhvPlatform.Check(
            Platform.Api.RequestInterrupt(_handle, &control, (uint)sizeof(WhvInterruptControl)), "WHvRequestInterrupt", $"vector {request.Vector}");
    }

    protected override void SuspendTimeCore()
    {
        BeginStop();
        try
        {
            WhvPlatform.Check(Platform.Api.SuspendPartitionTime(_handle), "WHvSuspendPartitionTime");
        }
        finally
        {
            EndStop();
        }
    }

    protected override void ResumeTimeCore() => WhvPlatform.Check(Platform.Api.ResumePartitionTime(_handle), "WHvResumePartitionTime");

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

    // What only a newer Windows knows is set where it is there: the capabilities already say so.
    private void Configure()
    {
        Set(WhvPartitionPropertyCode.ProcessorCount, (uint)_processors.Length);
        Set(WhvPartitionPropertyCode.LocalApicEmulationMode, (uint)(Options.LocalApic switch
        {
            LocalApicMode.XApic => WhvX64LocalApicEmulationMode.XApic,
            LocalApicMode.X2Apic => WhvX64LocalApicEmulationMode.X2Apic,
            _ => WhvX64LocalApicEmulationMode.None,
        }));
        if (Platform.ProcessorFeatures.BanksCount != 0)
        {
            (WhvProcessorFeaturesBanks banks, ulong xsave) = WhvProcessorProfile.Select(Platform, Profile);
            Set(WhvPartitionPropertyCode.ProcessorFeaturesBanks, banks);
            if (Platform.Features.Xsave)
                Set(WhvPartitionPropertyCode.ProcessorXsaveFeatures, xsave);
        }
        WhvExtendedVmExits exits = Exits(Options.ExceptionExits != 0);
        Set(WhvPartitionPropertyCode.ExtendedVmExits, exits);
        if (exits.X64MsrExit && Platform.MsrExits.UnhandledMsrs)
            Set(WhvPartitionPropertyCode.X64MsrExitBitmap, new WhvX64MsrExitBitmap { UnhandledMsrs = true });
        if (exits.ExceptionExit)
            Set(WhvPartitionPropertyCode.ExceptionExitBitmap, (ulong)Options.ExceptionExits);
        if (exits.X64CpuidExit)
            SetList(WhvPartitionPropertyCode.CpuidExitList, CpuidLeaves());
        WhvMsrActionEntry[] actions = WhvMsrPolicy.Actions(Options.MsrPolicy);
        if (actions.Length != 0)
            SetList(WhvPartitionPropertyCode.MsrActionList, actions);
    }

    private WhvExtendedVmExits Exits(bool exceptions) => new()
    {
        X64CpuidExit = Platform.Exits.X64CpuidExit, X64MsrExit = Platform.Exits.X64MsrExit, ExceptionExit = exceptions, HypercallExit = Options.HypercallExits,
    };

    // The backend answers every leaf itself, so that a guest sees the profile and nothing else.
    private uint[] CpuidLeaves()
    {
        SortedSet<uint> leaves = [.. Profile.Leaves.Select(leaf => leaf.Leaf), .. Options.CpuidExits];
        foreach (uint first in (uint[])[0, 0x4000_0000, 0x8000_0000])
        {
            for (uint leaf = first; leaf < first + 0x20; leaf++)
                leaves.Add(leaf);
        }
        return [.. leaves];
    }

    private void Set<T>(WhvPartitionPropertyCode code, T value)
        where T : unmanaged =>
        WhvPlatform.Check(Platform.Api.SetPartitionProperty(_handle, code, &value, (uint)sizeof(T)), "WHvSetPartitionProperty", code.ToString());

    private void SetList<T>(WhvPartitionPropertyCode code, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        // SAFETY: the platform reads the bytes during the call.
        fixed (T* first = values)
            WhvPlatform.Check(Platform.Api.SetPartitionProperty(_handle, code, first, (uint)(values.Length * sizeof(T))), "WHvSetPartitionProperty", code.ToString());
    }

    private void Free()
    {
        // Results do not matter any more: whatever fails here is gone with the partition.
        for (int i = 0; i < _created; i++)
        {
            _processors[i]?.Close();
            Platform.Api.DeleteVirtualProcessor(_handle, (uint)i);
        }
        Platform.Api.DeletePartition(_handle);
        _memory.Free();
        foreach (WhvVirtualProcessor? processor in _processors)
            processor?.Dispose();
    }
}
