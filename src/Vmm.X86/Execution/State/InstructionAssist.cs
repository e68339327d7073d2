using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// The interpreter, entered for exactly one instruction on the state of somebody else's processor: finishes instructions that a platform
/// reports but does not carry out.
/// </summary>
/// <remarks>
/// <see cref="Begin"/> takes the processor's state over, <see cref="Step"/> runs the one instruction, as often as it stops for something
/// outside (answer <see cref="ProcessorCore.Request"/>, step again), and <see cref="Commit"/> gives the state back. An exception is
/// delivered through the guest's own tables before that. Used by the thread that owns the processor.
/// </remarks>
// SAFETY: pages come from TryGetSpan, which gives windows on native memory that stays mapped while the owner of the processor is in here.
public sealed unsafe class InstructionAssist : ProcessorCore
{
    private static readonly uint[] s_known =
    [
        MsrNumber.Star, MsrNumber.Lstar, MsrNumber.Cstar, MsrNumber.SyscallMask, MsrNumber.KernelGsBase, MsrNumber.SysenterCs, MsrNumber.SysenterEsp,
        MsrNumber.SysenterEip, MsrNumber.TscAux, MsrNumber.Pat,
    ];

    private readonly IAssistedProcessor _processor;
    private readonly byte[] _xsave;
    private readonly byte[] _xsaveBefore;
    private readonly uint[] _msrs;
    private readonly ulong[] _msrsBefore;
    private ProcessorState _before;

    /// <summary>Makes an assist for one processor at rest.</summary>
    /// <param name="processor">The processor.</param>
    /// <param name="model">What its CPUID shows.</param>
    public InstructionAssist(IVirtualProcessor processor, CpuidModel model)
        : this(new ProcessorAtRest(processor ?? throw new ArgumentNullException(nameof(processor))), model)
    {
    }

    /// <summary>Makes an assist that a backend runs inside its own loop.</summary>
    /// <param name="processor">The processor, as the backend sees it.</param>
    /// <param name="model">What its CPUID shows.</param>
    public InstructionAssist(IAssistedProcessor processor, CpuidModel model)
    {
        ArgumentNullException.ThrowIfNull(processor);
        ArgumentNullException.ThrowIfNull(model);
        _processor = processor;
        _xsave = new byte[Math.Max(processor.XsaveSize, XsaveArea.SizeFor(model))];
        Model = model;
        ApicId = processor.ApicId;
        _xsaveBefore = new byte[_xsave.Length];
        _msrs = [.. s_known.Where(msr => msr != MsrNumber.TscAux || Has(CpuFeature.Rdtscp))];
        _msrsBefore = new ulong[_msrs.Length];
    }

    /// <inheritdoc/>
    public override int PhysicalAddressBits => Model.PhysicalAddressBits;

    /// <summary>Takes the processor's state over.</summary>
    public void Begin()
    {
        VcpuState* s = State;
        _processor.GetState(RegisterGroups.All, out _before);
        ref readonly ProcessorState state = ref _before;
        StateTransfer.SetGeneral(s, in state.General);
        StateTransfer.SetSegments(s, in state.Segments);
        StateTransfer.SetDebug(s, in state.Debug);
        s->Cr0 = state.Control.Cr0;
        s->Cr2 = state.Control.Cr2;
        s->Cr3 = state.Control.Cr3;
        s->Cr4 = state.Control.Cr4;
        s->Cr8 = state.Control.Cr8;
        s->Xcr0 = state.Control.Xcr0;
        s->Efer = state.Control.Efer;
        s->ApicBase = state.Control.ApicBase;
        s->Activity = Activity.Running;
        s->Shadow = (InterruptShadow)state.Events.Shadow;
        s->NmiBlocked = state.Events.NmiBlocked;
        s->PendingDebugTrap = state.Events.PendingDebugTrap;
        s->Event = default;
        _processor.GetXsave(_xsave);
        _xsave.CopyTo(_xsaveBefore, 0);
        XsaveArea.Load(s, _xsave, Model.XsaveOffset(XsaveStates.KeyRights));
        _processor.ReadMsrs(_msrs, _msrsBefore);
        for (int i = 0; i < _msrs.Length; i++)
            Register(_msrs[i]) = _msrsBefore[i];
        s->Cpl = (s->Cr0 & Cr0Bits.ProtectionEnable) == 0 ? 0 : (s->FlagsSystem & LazyFlags.Vm) != 0 ? 3 : s->Segments[SegmentIndex.Ss].Dpl;
        LoadPointers();
        ClearAnswers();
        UpdateBreakpoints();
        UpdateMode();
        FlushAfterRemap();
    }

    /// <summary>Runs the one instruction.</summary>
    /// <returns>
    /// True when it is done, its exception delivered if it had one; false when <see cref="ProcessorCore.Request"/> must be answered first.
    /// </returns>
    public bool Step()
    {
        if (!HasEvent)
        {
            switch (ExecuteOne())
            {
                case RunResult.Exit:
                    return false;
                case RunResult.Fault:
                    QueueFault();
                    break;
                case RunResult.DebugTrap:
                    QueueDebugTrap();
                    break;
                default:
                    return true;
            }
        }
        return DeliverEvent() != Outcome.Exit;
    }

    /// <summary>Gives the processor what the instruction has changed of its state.</summary>
    public void Commit()
    {
        VcpuState* s = State;
        ProcessorState state = _before;
        state.General = StateTransfer.GetGeneral(s);
        state.Segments = StateTransfer.GetSegments(s);
        state.Control = StateTransfer.GetControl(s);
        state.Debug = StateTransfer.GetDebug(s);
        state.Events.Activity = (ProcessorActivity)s->Activity;
        state.Events.Shadow = (InterruptibilityShadow)s->Shadow;
        state.Events.NmiBlocked = s->NmiBlocked;
        state.Events.PendingDebugTrap = s->PendingDebugTrap;
        RegisterGroups changed = (state.General == _before.General ? 0 : RegisterGroups.General)
            | (state.Segments == _before.Segments ? 0 : RegisterGroups.Segments) | (state.Control == _before.Control ? 0 : RegisterGroups.Control)
            | (state.Debug == _before.Debug ? 0 : RegisterGroups.Debug) | (state.Events == _before.Events ? 0 : RegisterGroups.Events);
        if (changed != 0)
            _processor.SetState(changed, in state);
        XsaveArea.Save(s, _xsave, Model.XsaveOffset(XsaveStates.KeyRights));
        if (!_xsave.AsSpan().SequenceEqual(_xsaveBefore))
            _processor.SetXsave(_xsave);
        for (int i = 0; i < _msrs.Length; i++)
        {
            ulong value = Register(_msrs[i]);
            if (value != _msrsBefore[i])
                _processor.WriteMsr(_msrs[i], value);
        }
    }

    /// <summary>Translates with the state that <see cref="Begin"/> took over.</summary>
    public LinearTranslationResult Translate(ulong linear, GuestAccess access, bool user) =>
        LinearProbe.Translate(this, _processor.Memory, linear, access, user);

    /// <inheritdoc/>
    public override ulong ReadTimeStampCounter() => _processor.ReadMsr(MsrNumber.TimeStampCounter);

    /// <inheritdoc/>
    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page)
    {
        GuestAccess wanted = access switch
        {
            // A page walk is a write: accessed bits are the walker's to set (SDM Vol. 3C 29.3.5, APM Vol. 2 15.25.5).
            PhysicalAccess.Write or >= PhysicalAccess.WalkRead => GuestAccess.Write,
            PhysicalAccess.Execute => GuestAccess.Execute,
            _ => GuestAccess.Read,
        };
        page = default;
        TranslationStatus status = _processor.Memory.Translate(address, wanted).Status;
        page.Host = status == TranslationStatus.Success ? PageOf(address) : null;
        page.Kind = page.Host != null ? PhysicalPageKind.Memory : status == TranslationStatus.AccessDenied ? PhysicalPageKind.Forbidden : PhysicalPageKind.Unmapped;
        page.TrackWrites = true;
    }

    /// <inheritdoc/>
    protected override void OnTrackedWrite(ulong address, int size) => _processor.Memory.NotifyWritten(address, (ulong)size);

    /// <inheritdoc/>
    protected override byte* ProbePhysical(ulong address) => PageOf(address);

    /// <inheritdoc/>
    protected override bool TryAnswer(ref ExternalRequest request)
    {
        if (_processor.TryAnswer(ref request))
            return true;
        if (request.Kind != ExternalRequestKind.Cpuid || _processor.ExitsAtCpuid((uint)request.Address))
            return false;
        AnswerCpuid(ref request);
        return true;
    }

    /// <inheritdoc/>
    protected override MsrAction SelectMsrAction(uint msr, bool write) => _processor.SelectMsrAction(msr, write);

    private byte* PageOf(ulong address) => _processor.Memory.TryGetSpan(address & ~0xFFFUL, 4096, true, out Span<byte> span)
        ? (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(span))
        : null;

    // PAE's four registers are not part of the contract's state: they are read from memory again.
    private void LoadPointers()
    {
        byte* page = PageOf(State->Cr3 & 0xFFFF_FFE0);
        for (int i = 0; i < 4; i++)
            State->Pdpte[i] = page == null ? 0 : ((ulong*)(page + (State->Cr3 & 0xFE0)))[i];
    }

    private ref ulong Register(uint msr)
    {
        VcpuState* s = State;
        switch (msr)
        {
            case MsrNumber.Star: return ref s->Star;
            case MsrNumber.Lstar: return ref s->Lstar;
            case MsrNumber.Cstar: return ref s->Cstar;
            case MsrNumber.SyscallMask: return ref s->SyscallMask;
            case MsrNumber.KernelGsBase: return ref s->KernelGsBase;
            case MsrNumber.SysenterCs: return ref s->SysenterCs;
            case MsrNumber.SysenterEsp: return ref s->SysenterEsp;
            case MsrNumber.SysenterEip: return ref s->SysenterEip;
            case MsrNumber.TscAux: return ref s->TscAux;
            default: return ref s->Pat;
        }
    }
}
