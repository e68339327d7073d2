namespace Vmm.Replay;

/// <summary>
/// Runs one instruction at a time on two backends. The first counts or steps by itself. The second may do neither: then it is stopped
/// behind the instruction, whose end the first has shown, by a HLT in place of the next one where that is at privilege level 0, and else by
/// its own single-step trap with no interrupt table to take it, which shuts the processor down with its registers as they are.
/// </summary>
internal sealed class SingleStepper(LockstepProcessor owner, IVirtualProcessor first, IVirtualProcessor second)
{
    private const byte Hlt = 0xF4;
    private const ulong TrapFlag = 0x100;

    private ProcessorState _start;
    private bool _halts; // the instruction is a HLT: its exit is what matters, and a step would hide it

    /// <summary>Runs one instruction on the first backend. False: it exits, and may be pending.</summary>
    public bool TryStepFirst(GuestInstruction instruction, out VpExit exit)
    {
        first.GetState(RegisterGroups.General | RegisterGroups.Segments, out _start);
        _halts = instruction.IsHalt;
        return TryStep(first, out exit);
    }

    /// <summary>Runs the second backend into the exit that the first has met.</summary>
    public VpExit RunSecond()
    {
        if (!LockstepProcessor.CanStep(second))
            return owner.RunAstray(second);
        return TryStep(second, out VpExit exit) ? default : exit;
    }

    /// <summary>Runs the second backend to where the first is now.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="exit">The exit that came instead.</param>
    /// <returns>Null: it is done. Else what went wrong.</returns>
    public string? StepSecond(GuestInstruction instruction, out VpExit exit)
    {
        if (LockstepProcessor.CanStep(second))
            return TryStep(second, out exit) ? null : $"the second backend exits: {exit}";
        first.GetState(RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control, out ProcessorState target);
        bool isLong = (target.Control.Efer & 0x400) != 0 && (target.Segments.Cs.Attributes & 0x2000) != 0;
        ulong next = isLong ? target.General.Rip : (uint)(target.Segments.Cs.Base + target.General.Rip);
        ulong begin = isLong ? _start.General.Rip : (uint)(_start.Segments.Cs.Base + _start.General.Rip);
        bool isUser = (target.Control.Cr0 & 1) != 0 && ((target.Segments.Ss.Attributes >> 5) & 3) == 3;
        bool isInside = next - begin < (ulong)Math.Max(instruction.Length, 1);
        return isUser || isInside ? StepByTrap(instruction, out exit) : StepToHalt(next, target.General.Rip, out exit);
    }

    /// <summary>Gives the second backend the first's general registers and flags.</summary>
    public static void CopyRegisters(IVirtualProcessor from, IVirtualProcessor to)
    {
        from.GetState(RegisterGroups.General, out ProcessorState state);
        to.SetState(RegisterGroups.General, in state);
    }

    private bool TryStep(IVirtualProcessor processor, out VpExit exit)
    {
        if (processor.Partition.VirtualTime is { } time)
        {
            time.Limit = time.Nanoseconds + 1;
            do
                exit = processor.Run();
            while (exit.Kind == ExitKind.Cancelled && time.Nanoseconds < time.Limit);
            return exit.Kind == ExitKind.Cancelled;
        }
        if (!_halts)
            processor.Debugging = new DebugControl { SingleStep = true };
        do
            exit = processor.Run();
        while (exit.Kind == ExitKind.Cancelled);
        processor.Debugging = DebugControl.None;
        return exit.Kind == ExitKind.Debug;
    }

    private string? StepToHalt(ulong linear, ulong rip, out VpExit exit)
    {
        exit = default;
        LinearTranslationResult at = first.Translate(linear, GuestAccess.Execute);
        ISecondLevelAddressTranslation memory = second.Partition.Memory;
        Span<byte> saved = stackalloc byte[1];
        if (at.Status != TranslationStatus.Success || !memory.TryGetSpan(at.PhysicalAddress, 1, false, out Span<byte> there))
            return $"it goes on at 0x{rip:X} on the first backend, where there is no code";
        saved[0] = there[0];
        memory.Write(at.PhysicalAddress, [Hlt]);
        exit = owner.RunAstray(second);
        memory.Write(at.PhysicalAddress, saved);
        if (exit.Kind != ExitKind.Halt || second[Register.Rip] != rip + 1)
            return $"the first backend goes on at 0x{rip:X}, the second does not: {exit}";
        second.GetState(RegisterGroups.General, out ProcessorState state);
        state.General.Rip = rip;
        Revive(ref state, RegisterGroups.General);
        return null;
    }

    private string? StepByTrap(GuestInstruction instruction, out VpExit exit)
    {
        const RegisterGroups Groups = RegisterGroups.Registers;
        second.GetState(Groups, out ProcessorState before);
        ProcessorState state = before;
        bool hadTrap = (before.General.Rflags & TrapFlag) != 0;
        state.General.Rflags |= TrapFlag;
        state.Segments.Idtr = new TableDescriptor(before.Segments.Idtr.Base, 0);
        second.SetState(Groups, in state);
        exit = owner.RunAstray(second);
        if (exit.Kind != ExitKind.Shutdown)
            return $"the second backend does not stop behind it: {exit}";
        second.GetState(Groups, out state);
        if (!hadTrap)
            state.General.Rflags &= ~TrapFlag;
        if (!instruction.LoadsIdtr)
            state.Segments.Idtr = before.Segments.Idtr;
        state.Debug.Dr6 = before.Debug.Dr6;
        state.Control.Cr2 = before.Control.Cr2;
        Revive(ref state, Groups);
        return null;
    }

    // It was stopped by a means of ours, of which nothing shall be left.
    private void Revive(ref ProcessorState state, RegisterGroups groups)
    {
        if (second.Partition.Capabilities.Has(Capability.EventState))
        {
            second.GetState(RegisterGroups.Events, out ProcessorState events);
            state.Events = events.Events with { Activity = ProcessorActivity.Running, PendingDebugTrap = 0 };
            groups |= RegisterGroups.Events;
        }
        second.SetState(groups, in state);
    }
}
