namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const uint PresentData = 0x93, PresentLdt = 0x82, PresentBusyTss = 0x8B;

    /// <summary>
    /// Puts the architectural values of power-on or INIT into the state block (SDM Vol. 3A 10.1.1, table 10-1), empties the translations
    /// and abandons whatever was half done. The activity becomes running; a caller that resets an application processor sets it to
    /// wait-for-SIPI.
    /// </summary>
    public void ResetState(ResetKind kind)
    {
        VcpuState* s = State;
        for (int i = 0; i < 16; i++)
            s->General[i] = 0;
        s->General[2] = Model.Signature;
        s->Rip = 0xFFF0;
        LazyFlags.Set(s, 2);
        s->Cpl = 0;
        for (int i = 0; i < SegmentIndex.Ldtr; i++)
            s->Segments[i] = new SegmentRegister { Limit = 0xFFFF, Attributes = PresentData };
        s->Segments[SegmentIndex.Cs] = new SegmentRegister { Selector = 0xF000, Base = 0xFFFF_0000, Limit = 0xFFFF, Attributes = 0x9B };
        s->Segments[SegmentIndex.Ldtr] = new SegmentRegister { Limit = 0xFFFF, Attributes = PresentLdt };
        s->Segments[SegmentIndex.Tr] = new SegmentRegister { Limit = 0xFFFF, Attributes = PresentBusyTss };
        s->Gdtr = s->Idtr = new TableRegister { Limit = 0xFFFF };
        s->Cr0 = kind == ResetKind.Init
            ? (s->Cr0 & (Cr0Bits.CacheDisable | Cr0Bits.NotWriteThrough)) | Cr0Bits.ExtensionType
            : Cr0Bits.CacheDisable | Cr0Bits.NotWriteThrough | Cr0Bits.ExtensionType;
        s->Cr2 = s->Cr3 = s->Cr4 = s->Cr8 = s->Efer = 0;
        for (int i = 0; i < 4; i++)
            s->Pdpte[i] = s->Debug[i] = 0;
        s->Debug[6] = DebugBits.StatusFixed;
        s->Debug[7] = DebugBits.ControlFixed;
        s->Activity = Activity.Running;
        s->Shadow = InterruptShadow.None;
        s->NmiBlocked = false;
        s->Fault = default;
        s->Event = default;
        s->PendingDebugTrap = 0;
        _externalEvent = 0;
        if (kind == ResetKind.PowerOn)
            ResetKept(s);
        WithdrawRequest();
        ClearAnswers();
        UpdateBreakpoints();
        UpdateMode();
        OnTaskPriorityChanged();
        ChangeTranslations();
    }

    /// <summary>Starts a processor that waits for it at <paramref name="vector"/> * 4 KiB in real mode (SDM Vol. 3A 9.4.3).</summary>
    public void StartAt(byte vector)
    {
        VcpuState* s = State;
#if VMM_MUTANTS
        vector = Broken(Mutant.StartupPageIgnored) ? (byte)0 : vector;
#endif
        ref SegmentRegister cs = ref s->Segments[SegmentIndex.Cs];
        cs.Selector = (ushort)(vector << 8);
        cs.Base = (ulong)vector << 12;
        s->Rip = 0;
        s->Activity = Activity.Running;
        UpdateMode();
    }

    // What INIT leaves alone.
    private static void ResetKept(VcpuState* s)
    {
        s->Xcr0 = 1;
        s->Star = s->Lstar = s->Cstar = s->SyscallMask = s->KernelGsBase = 0;
        s->SysenterCs = s->SysenterEsp = s->SysenterEip = s->TscAux = 0;
        s->Pat = 0x0007_0406_0007_0406;
        s->MiscEnable = 1; // fast strings
        s->TscOffset = s->TscAdjust = s->Xss = s->MicrocodeRevision = s->MtrrDefaultType = 0;
        for (int i = 0; i < 11; i++)
            s->MtrrFixed[i] = 0;
        for (int i = 0; i < 16; i++)
            s->MtrrVariable[i] = s->Fpu[i] = 0;
        for (int i = 0; i < 16 * 4; i++)
            s->Vector[i] = 0;
        s->Mxcsr = 0x1F80;
        s->Pkru = 0;
        s->FpuControl = 0x40;
        s->FpuStatus = 0;
        s->FpuTags = 0xFF; // 5555h in the full form: eight zeros, none empty
        s->FpuOpcode = s->FpuInstructionSelector = s->FpuDataSelector = 0;
        s->FpuInstructionPointer = s->FpuDataPointer = 0;
    }
}
