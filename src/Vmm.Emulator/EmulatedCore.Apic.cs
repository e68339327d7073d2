using Vmm.Emulator.Interrupts;
using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatedCore : ILocalApicHost
{
    private EmulatorVirtualProcessor? _owner;

    /// <summary>The local APIC; null where the partition has none.</summary>
    public LocalApic? Apic { get; private set; }

    ulong ILocalApicHost.Ticks => _partition.Clock.Now;

    ulong ILocalApicHost.TimeStampCounter => TimeStampCounter;

    void ILocalApicHost.Kick() => _owner!.NotifyApic();

    void ILocalApicHost.OnDeadlineChanged() => _owner?.ArmTimer();

    void ILocalApicHost.OnEndOfInterrupt(byte vector)
    {
        LeaveBlock();
        _owner!.QueueEndOfInterrupt(vector);
    }

    /// <summary>Adds the local APIC.</summary>
    public void AddApic(EmulatorVirtualProcessor owner, LocalApicMode mode, bool bootstrap)
    {
        _owner = owner;
        CpuProfile profile = _partition.Profile;
        Apic = new LocalApic(
            new LocalApicOptions
            {
                Id = ApicId,
                IsBootstrap = bootstrap,
                HasX2Apic = Has(CpuFeature.X2Apic),
                StartsInX2Apic = mode == LocalApicMode.X2Apic,
                HasTscDeadline = Has(CpuFeature.TscDeadline),
                PhysicalAddressWidth = (byte)PhysicalAddressBits,
                TimeStampCounterFrequency = profile.TimeStampCounterFrequency,
                TimerFrequency = profile.ApicTimerFrequency,
            },
            this,
            _partition.ApicBus);
    }

    /// <summary>Power-on state of the APIC.</summary>
    /// <remarks>
    /// The bootstrap processor's LINT0 passes the external interrupt controller from the start, as it does on other hypervisors: guests
    /// that are started without firmware rely on it.
    /// </remarks>
    public void ResetApic(bool bootstrap)
    {
        if (Apic is null)
        {
            State->ApicBase = 0;
            return;
        }
        Apic.Reset();
        if (bootstrap)
            Apic.EnterVirtualWireMode();
        FollowApic();
    }

    protected override bool OnApicBaseWrite(ulong value)
    {
        if (Apic is null || !Apic.TryWriteBase(value))
            return false;
        FollowApic();
        return true;
    }

    protected override void OnTaskPriorityChanged()
    {
        if (Apic is not null && Apic.Cr8 != State->Cr8)
            Apic.Cr8 = (uint)State->Cr8;
    }

    /// <summary>Loads the APIC's registers.</summary>
    public void RestoreApic(ReadOnlySpan<byte> page)
    {
        Apic!.RestorePage(page);
        FollowApic();
    }

    private void SetApicBase(ulong value)
    {
        if (Apic is null || Apic.Base == value)
            return;
        if (!Apic.TryRestoreBase(value))
            throw new ArgumentException($"The APIC base cannot be 0x{value:X}: a reserved bit is set, or x2APIC mode without the global enable.");
        FollowApic();
    }

    // The state block mirrors what CPUID, CR8 and address translation look at.
    private void FollowApic()
    {
        State->ApicBase = Apic!.Base;
        State->Cr8 = Apic.Cr8;
        if (OverlayPage != Apic.Page)
        {
            OverlayPage = Apic.Page;
            FlushTlb();
        }
    }

    private bool TryReadApic(ref ExternalRequest request)
    {
        if (Apic is null || request.Address >> 12 != Apic.Page)
            return false;
        request.Value = Apic.ReadMemory((int)(request.Address & 0xFFF), request.Size);
        return true;
    }

    private bool TryWriteApic(in ExternalRequest request)
    {
        if (Apic is null || request.Address >> 12 != Apic.Page)
            return false;
        Apic.WriteMemory((int)(request.Address & 0xFFF), request.Size, request.Value);
        State->Cr8 = Apic.Cr8;
        return true;
    }

    private bool TryWriteApicMsr(uint msr, ulong value)
    {
        bool written = Apic!.TryWriteMsr(msr, value);
        FollowApic();
        return written;
    }
}
