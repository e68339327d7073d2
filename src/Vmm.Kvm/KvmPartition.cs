using Vmm.Kvm.Interop;
using Vmm.Kvm.Memory;
using Vmm.Kvm.Processors;
using Vmm.X86;

namespace Vmm.Kvm;

/// <summary>A virtual machine of the kernel.</summary>
internal sealed unsafe class KvmPartition : PartitionBase
{
    // Three pages and one that the kernel may need for itself on processors that cannot run real mode natively: below the firmware's 16
    // MiB.
    private const ulong IdentityMapAddress = 0xFEFF_C000, TssAddress = 0xFEFF_D000;
    private const uint EdgeQuirkFree = 3; // KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK

    private readonly KvmFile _machine;
    private readonly KvmMemory _memory;
    private readonly KvmVirtualProcessor[] _processors;
    private readonly KvmInterruptRoutes _routes;
    private readonly Lock _messages = new(); // held while registers of local APICs are read, changed and put back

    public KvmPartition(KvmBackend hypervisor, PartitionOptions options)
        : base(hypervisor, options)
    {
        Platform = hypervisor.Platform;
        IsAssisted = hypervisor.IsAssisted;
        RequestedProfile = Profile = KvmProcessorProfile.Adapt(Platform, options.CpuProfile ?? CpuProfiles.V1);
        Model = KvmProcessorProfile.Model(Profile, HasLocalApic);
        Signal = KvmSignal.Take();
        _machine = Platform.CreateMachine();
        _processors = new KvmVirtualProcessor[options.ProcessorCount];
        _memory = new KvmMemory(this);
        _routes = new KvmInterruptRoutes(File);
        try
        {
            Configure();
            for (int i = 0; i < _processors.Length; i++)
                _processors[i] = new KvmVirtualProcessor(this, i);
            ResetCore();
        }
        catch
        {
            DisposeCore();
            throw;
        }
        SetProcessors(_processors);
    }

    public override ISecondLevelAddressTranslation Memory => _memory;

    public KvmMemory Slots => _memory;

    public KvmPlatform Platform { get; }

    /// <summary>Instructions that the kernel fails at are finished by the assist.</summary>
    public bool IsAssisted { get; }

    /// <summary>The descriptor of the virtual machine.</summary>
    public int File => _machine.Number;

    /// <summary>The profile with what is the host's own, as the kernel is asked for it.</summary>
    public CpuProfile RequestedProfile { get; }

    /// <summary>What the guest really sees.</summary>
    public CpuProfile Profile { get; private set; }

    public override CpuProfile CpuProfile => Profile;

    /// <summary>The same, and what follows from it.</summary>
    public CpuidModel Model { get; private set; }

    public bool HasLocalApic => Options.LocalApic != LocalApicMode.None;

    /// <summary>The signal that makes a processor's thread come back.</summary>
    public int Signal { get; }

    /// <summary>Takes what the kernel shows in the end, which the first processor has read back.</summary>
    public void SetShownCpuid(KvmCpuidEntry[] entries)
    {
        Profile = KvmProcessorProfile.Shown(RequestedProfile, entries, HasLocalApic);
        Model = KvmProcessorProfile.Model(Profile, HasLocalApic);
    }

    protected override void ResetCore()
    {
        foreach (KvmVirtualProcessor processor in _processors)
            processor.Reset();
        // All counters start at one time, as those of processors do that share a reset: guests check that they agree.
        ulong? clock = _processors[0].ReadClock();
        foreach (KvmVirtualProcessor processor in _processors)
            processor.StartCounter(clock);
    }

    protected override void RequestInterruptCore(in InterruptRequest request)
    {
        if (request.Mode is not (InterruptDeliveryMode.Fixed or InterruptDeliveryMode.LowestPriority or InterruptDeliveryMode.NonMaskable
            or InterruptDeliveryMode.Init))
        {
            throw new ArgumentOutOfRangeException(
                nameof(request), request.Mode,
                "KVM takes Fixed, LowestPriority, NonMaskable and Init; external interrupts come from ExternalInterruptSource.");
        }
        if (request.LevelTriggered)
            _routes.ReportEnd(request.Vector);
        KvmMsi message = KvmInterruptRoutes.Message(in request);
        lock (_messages)
            KvmFailure.Check(Libc.Control(File, KvmIoctl.SignalMsi, &message), "KVM_SIGNAL_MSI", $"vector {request.Vector}");
    }

    /// <summary>Makes the kernel tell of the ends of a vector's interrupts.</summary>
    public void ReportEnd(byte vector) => _routes.ReportEnd(vector);

    protected override void SuspendTimeCore() => ChangeTime(static (processor, clock) => processor.SuspendTime(clock));

    protected override void ResumeTimeCore() => ChangeTime(static (processor, clock) => processor.ResumeTime(clock));

    // One reading of the host's counter serves all processors, so that their counters stay as far apart as they were; and no message comes
    // between the reading of an APIC's registers and their writing, which would wipe it out.
    private void ChangeTime(Action<KvmVirtualProcessor, ulong?> change)
    {
        BeginStop();
        try
        {
            lock (_messages)
            {
                ulong? clock = _processors[0].ReadClock();
                foreach (KvmVirtualProcessor processor in _processors)
                    change(processor, clock);
            }
        }
        finally
        {
            EndStop();
        }
    }

    protected override void DisposeCore()
    {
        foreach (KvmVirtualProcessor? processor in _processors)
            processor?.Close();
        _machine.Dispose();
        _memory.Dispose();
        foreach (KvmVirtualProcessor? processor in _processors)
            processor?.Dispose();
    }

    private void Configure()
    {
        if (Platform.Extension(KvmCapability.SetIdentityMapAddress) != 0)
        {
            ulong address = IdentityMapAddress;
            KvmFailure.Check(Libc.Control(File, KvmIoctl.SetIdentityMapAddress, &address), "KVM_SET_IDENTITY_MAP_ADDR");
        }
        if (Platform.Extension(KvmCapability.SetTssAddress) != 0)
            KvmFailure.Check(Libc.Control(File, KvmIoctl.SetTssAddress, unchecked((nint)TssAddress)), "KVM_SET_TSS_ADDR");
        if (Platform.HasExceptionPayload)
            Enable(KvmCapability.ExceptionPayload, 1);
        // Otherwise what the kernel cannot carry out at level 3 is an invalid opcode to the guest, be it a fetch from outside of memory.
        if (IsAssisted && Platform.HasEmulationFailureExits)
            Enable(KvmCapability.ExitOnEmulationFailure, 1);
        if (HasLocalApic)
        {
            Enable(KvmCapability.SplitIrqchip, KvmInterruptRoutes.Pins);
            if (Platform.HasX2ApicApi)
                Enable(KvmCapability.X2ApicApi, EdgeQuirkFree);
        }
        if (Platform.HasMsrExits && Options.MsrPolicy is { } policy)
            KvmMsrFilter.Apply(this, policy);
    }

    /// <summary>Switches an extension on.</summary>
    public void Enable(KvmCapability capability, ulong argument)
    {
        KvmEnableCapability enable = new() { Capability = (uint)capability, First = argument };
        KvmFailure.Check(Libc.Control(File, KvmIoctl.EnableCapability, &enable), "KVM_ENABLE_CAP", capability.ToString());
    }
}
