using System.Collections.Immutable;

namespace Vmm.Replay;

/// <summary>Runs a stretch again on both backends, instruction by instruction, until they differ.</summary>
internal sealed class LockstepSteps(
    LockstepProcessor owner,
    LockstepPartition partition,
    IVirtualProcessor first,
    IVirtualProcessor second,
    LockstepDivergence rough,
    IReadOnlyList<PendingAnswer> answers,
    int exits,
    VpExit last)
{
    private const ulong MostSteps = 500_000;

    private readonly SingleStepper _steps = new(owner, first, second);
    private GuestInstruction _instruction = GuestInstruction.None;
    private ProcessorState _before;
    private ulong _distance;
    private int _seen; // exits met

    /// <summary>Goes on from where both agree.</summary>
    /// <param name="done">Instructions already behind.</param>
    /// <param name="length">Instructions of the stretch, where they are counted.</param>
    /// <returns>The difference; null = there was none but what is explained.</returns>
    public LockstepDivergence? Run(ulong done, ulong length)
    {
        for (_distance = done; _distance < MostSteps; _distance++)
        {
            if (exits == 0 && _distance >= length)
                return null;
            _instruction = GuestInstruction.At(first);
            first.GetState(RegisterGroups.Registers, out _before);
            if (!_steps.TryStepFirst(_instruction, out VpExit one))
            {
                if (Exit(in one) is { } divergence)
                    return divergence;
                if (_seen == exits)
                    return null;
                continue;
            }
            string? astray = _steps.StepSecond(_instruction, out VpExit two);
            if (astray is not null)
                return Exact(default, two, astray);
            if (Compare(default, default) is { } found)
                return found;
        }
        return rough with { Reason = $"more than {MostSteps} instructions lie between two comparisons" };
    }

    // The instruction exits on the first backend: it must do so on the second, and come to the same with the client's answers.
    private LockstepDivergence? Exit(in VpExit begun)
    {
        VpExit one = begun;
        VpExit two = _steps.RunSecond();
        while (true)
        {
            _seen++;
            if (ExitCodec.Essence(in one) != ExitCodec.Essence(in two) && !(one.Kind == ExitKind.SlatViolation && two.Kind == ExitKind.SlatViolation))
                return Exact(one, two, null);
            if (!first.IsPending)
                return Compare(one, two);
            bool isLast = _seen == exits && last.Kind != ExitKind.None;
            if (isLast)
                return null; // it is the client's to answer
            PendingAnswer answer = _seen <= answers.Count ? answers[_seen - 1] : default;
            answer.Give(first);
            answer.Give(second);
            CompletionStatus status = first.CompletePending(out one), other = second.CompletePending(out two);
            if (status != other)
                return Exact(one, two, null);
            if (status == CompletionStatus.Done)
                return Compare(default, default);
        }
    }

    private LockstepDivergence? Compare(in VpExit one, in VpExit two)
    {
        ImmutableArray<StateDifference> state = _instruction.MayChangeSystem || !owner.HasSameRegisters() ? owner.FindDifferences() : [];
        if (!state.IsEmpty && _instruction.Excuse(state) is { } excuse)
        {
            partition.Tolerate(excuse);
            SingleStepper.CopyRegisters(first, second);
            state = owner.FindDifferences();
        }
        ImmutableArray<MemoryDifference> memory = owner.FindMemoryDifferences();
        return state.IsEmpty && memory.IsEmpty ? null : Exact(one, two, null) with { State = state, Memory = memory };
    }

    private LockstepDivergence Exact(in VpExit one, in VpExit two, string? reason)
    {
        bool isFirstAtRest = !first.IsPending, isSecondAtRest = !second.IsPending;
        return rough with
        {
            IsExact = true,
            Reason = reason,
            Rip = _instruction.Rip,
            Bytes = _instruction.Bytes,
            Disassembly = _instruction.Text,
            Distance = _distance + 1,
            Before = General(in _before),
            First = isFirstAtRest ? ProcessorSnapshot.Capture(first) : null,
            Second = isSecondAtRest ? ProcessorSnapshot.Capture(second) : null,
            FirstExit = one,
            SecondExit = two,
            State = isFirstAtRest && isSecondAtRest ? owner.FindDifferences() : [],
            Memory = isFirstAtRest && isSecondAtRest ? owner.FindMemoryDifferences() : [],
        };
    }

    private static ProcessorSnapshot General(in ProcessorState state)
    {
        ImmutableArray<StateField>.Builder fields = ImmutableArray.CreateBuilder<StateField>();
        for (Register register = Register.Rax; register <= Register.Rflags; register++)
            fields.Add(new StateField(register.ToString(), state.GetRegister(register)));
        return new ProcessorSnapshot([new ElementState(StateElements.General.Id, StateElements.General.Version, fields.ToImmutable())]);
    }
}
