namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// Checks the descriptor of a code segment that control goes to without changing privilege: by JMP or CALL to it directly, or through a
    /// gate (then the target's RPL does not count). False: #GP(selector) or #NP(selector).
    /// </summary>
    private bool CheckSameLevelCode(ushort selector, in Descriptor descriptor, bool throughGate)
    {
        uint cpl = State->Cpl;
        bool allowed = descriptor.IsCode
            && (descriptor.IsConforming ? descriptor.Dpl <= cpl : descriptor.Dpl == cpl && (throughGate || (selector & 3U) <= cpl))
            && !(IsLongMode && descriptor.Long && descriptor.Big);
        if (!allowed)
            return FailSelector(ExceptionVector.GeneralProtection, selector);
        return descriptor.Present || FailSelector(ExceptionVector.SegmentNotPresent, selector);
    }

    /// <summary>Checks a target RIP: canonical for 64-bit code, inside the limit for other code. False: #GP(0).</summary>
    private bool CheckTarget(in Descriptor descriptor, ulong rip)
    {
        bool allowed = IsLongMode && descriptor.Long ? IsCanonical(rip) : rip <= descriptor.Limit;
        return allowed || FailNull(ExceptionVector.GeneralProtection);
    }

    /// <summary>Commits CS, CPL and RIP, and recomputes the mode.</summary>
    private Outcome CommitCode(in Descriptor descriptor, ushort selector, uint level, ulong rip)
    {
        VcpuState* s = State;
        s->Segments[SegmentIndex.Cs] = descriptor.ToSegment((ushort)((selector & ~3) | (int)level));
        s->Cpl = level;
        s->Rip = rip;
        UpdateMode();
        return Outcome.Branch;
    }

    /// <summary>Commits CS and RIP in real or virtual-8086 mode.</summary>
    private Outcome CommitParagraph(ushort selector, ulong rip)
    {
        LoadFlatParagraph(SegmentIndex.Cs, selector);
        State->Rip = rip;
        UpdateMode();
        return Outcome.Branch;
    }

    // Real mode keeps the limit of CS whatever is loaded; virtual-8086 mode has 64 KiB.
    private bool CheckParagraphTarget(ulong rip) =>
        rip <= State->Segments[SegmentIndex.Cs].Limit || FailNull(ExceptionVector.GeneralProtection);
}
