using Vmm.Emulator.Interrupts;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatedCore
{
    /// <summary>Loads checked control registers, which are not bound to the order and side conditions of instructions.</summary>
    public void LoadControl(in ControlRegisters control)
    {
        VcpuState* s = State;
        s->Cr0 = control.Cr0 | Cr0Bits.ExtensionType;
        s->Cr2 = control.Cr2;
        s->Cr3 = control.Cr3;
        s->Cr4 = control.Cr4;
        s->Cr8 = control.Cr8;
        s->Xcr0 = control.Xcr0;
        bool active = (control.Cr0 & Cr0Bits.Paging) != 0 && (control.Efer & EferBits.LongModeEnable) != 0;
        s->Efer = (control.Efer & ~EferBits.LongModeActive) | (active ? EferBits.LongModeActive : 0);
        SetApicBase(control.ApicBase);
        OnTaskPriorityChanged();
        // PAE's four registers come from memory, as on VM entry (SDM Vol. 3C 27.3.2.4); unreadable or reserved entries count as not
        // present.
        if (active || (s->Cr0 & Cr0Bits.Paging) == 0 || (s->Cr4 & Cr4Bits.PhysicalAddressExtension) == 0)
            return;
        byte* page = ProbePhysical(s->Cr3 & 0xFFFF_FFE0);
        for (int i = 0; i < 4; i++)
        {
            ulong entry = page == null ? 0 : ((ulong*)(page + (s->Cr3 & 0xFE0)))[i];
            bool bad = (entry & 1) != 0 && (entry & (0x1E6 | (ulong.MaxValue << PhysicalAddressBits))) != 0;
            s->Pdpte[i] = bad ? 0 : entry;
        }
    }

    /// <summary>Recomputes what follows from registers after they were set from outside.</summary>
    public void AfterStateLoad()
    {
        VcpuState* s = State;
        s->Cpl = (s->Cr0 & Cr0Bits.ProtectionEnable) == 0 ? 0 : (s->FlagsSystem & LazyFlags.Vm) != 0 ? 3 : s->Segments[SegmentIndex.Ss].Dpl;
        UpdateBreakpoints();
        UpdateMode();
        FlushTlb();
    }

    /// <summary>Reads an MSR past the guest's policy.</summary>
    public bool TryReadOwnMsr(uint msr, out ulong value)
    {
        value = TimeStampCounter;
        return msr == MsrNumber.TimeStampCounter || TryReadCoreMsr(msr, out value);
    }

    private bool TryReadCoreMsr(uint msr, out ulong value) => (Apic is not null && LocalApic.OwnsMsr(msr) && Apic.TryReadMsr(msr, out value)) || TryReadMsr(msr, out value);

    /// <summary>Writes an MSR past the guest's policy. False: the value is refused.</summary>
    public bool TryWriteOwnMsr(uint msr, ulong value)
    {
        switch (msr)
        {
            case MsrNumber.TimeStampCounter:
                State->TscOffset += value - TimeStampCounter;
                if (Apic is not null)
                    _owner!.ArmTimer();
                return true;
            case MsrNumber.TscAdjust:
                State->TscAdjust = value;
                return true;
            default:
                return Apic is not null && LocalApic.OwnsMsr(msr) ? TryWriteApicMsr(msr, value) : WriteKnownMsr(msr, value, out bool known) != Outcome.Fault && known;
        }
    }
}
