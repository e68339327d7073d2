using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private bool LowerConditional(in Instruction i, int offset)
    {
        if (!_linearRip || i.Op0Kind == OpKind.NearBranch16)
            return false;
        long target = (long)(i.NearBranchTarget - _pageRip);
        if (target is >= 0 and < 4096)
        {
            if (TryFuse(in i, (int)target))
                return true;
            ref LoweredOperation near = ref Append(offset);
            near.Operation.Handler = Conditional(i.ConditionCode);
            near.Reads = FlagUse.All;
            near.Branches = true;
            Link(ref near, (int)target);
            return true;
        }
        if (target != (int)target)
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Handler = _code64 ? ConditionalAcross<LongStack>(i.ConditionCode)
            : ConditionalAcross<ShortStack>(i.ConditionCode);
        operation.Operation.Displacement = (int)target;
        operation.Leaves = operation.Branches = true;
        return true;
    }

    /// <summary>Makes one operation of the last one and the branch behind it.</summary>
    private bool TryFuse(in Instruction branch, int target)
    {
        if (_count == 0)
            return false;
        ref LoweredOperation last = ref _operations[_count - 1];
        if (last.Fuse == FusibleOperation.None || last.Operation.Before != _retired - 1)
            return false;
        nint handler = last.FuseWidth == 4 ? Fuse<uint>(in last, branch.ConditionCode)
            : last.FuseWidth == 8 ? Fuse<ulong>(in last, branch.ConditionCode)
            : last.FuseWidth == 1 ? Fuse<byte>(in last, branch.ConditionCode) : 0;
        if (handler == 0)
            return false;
        last.Operation.Handler = handler;
        last.QuietHandler = 0; // what the branch leads to may want the flags
        last.Branches = true;
        if (last.FuseImmediate)
            FusedImmediateSource.Put(ref last.Operation, (int)last.Operation.Immediate);
        Link(ref last, target);
        return true;
    }

    private static nint Fuse<T>(in LoweredOperation last, ConditionCode condition)
        where T : unmanaged, IBinaryInteger<T> => last.FuseImmediate ? Fuse<T, FusedImmediateSource>(last.Fuse, condition)
            : Fuse<T, RegisterSource>(last.Fuse, condition);

    private static nint Fuse<T, TSource>(FusibleOperation operation, ConditionCode condition)
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource => operation switch
        {
            FusibleOperation.Compare => FusedCompare<Compare, T, TSource>(condition),
            FusibleOperation.Subtract => FusedCompare<Subtract, T, TSource>(condition),
            FusibleOperation.Test => FusedCompare<TestBits, T, TSource>(condition),
            FusibleOperation.And => FusedCompare<And, T, TSource>(condition),
            FusibleOperation.Decrement => FusedResult<Decrement, T, TSource>(condition),
            FusibleOperation.Increment => FusedResult<Increment, T, TSource>(condition),
            FusibleOperation.Add => FusedResult<Add, T, TSource>(condition),
            _ => 0,
        };

    private bool LowerJump(in Instruction i, int offset)
    {
        if (!_linearRip)
            return false;
        bool call = i.Mnemonic == Mnemonic.Call;
        bool stack = _code64 || _shortStack;
        switch (i.Op0Kind)
        {
            case OpKind.NearBranch32 or OpKind.NearBranch64:
                long target = (long)(i.NearBranchTarget - _pageRip);
                if (target != (int)target || (call && !stack))
                    return false;
                ref LoweredOperation direct = ref Append(offset);
                direct.Leaves = direct.Branches = true;
                _ended = true;
                bool near = target is >= 0 and < 4096;
                if (near)
                {
                    direct.Operation.Handler = !call ? (nint)(Handler)(&BranchHandlers.Jump)
                        : _code64 ? (nint)(Handler)(&BranchHandlers.Call<LongStack>) : (nint)(Handler)(&BranchHandlers.Call<ShortStack>);
                    direct.Leaves = call;
                    Link(ref direct, (int)target);
                    return true;
                }
                direct.Operation.Displacement = (int)target;
                direct.Operation.Handler = call
                    ? _code64 ? (nint)(Handler)(&BranchHandlers.CallAcross<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.CallAcross<ShortStack>)
                    : _code64 ? (nint)(Handler)(&BranchHandlers.JumpAcross<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.JumpAcross<ShortStack>);
                return true;
            case OpKind.Register when i.Op0Register.GetSize() == (_code64 ? 8 : 4):
                if (call && !stack)
                    return false;
                ref LoweredOperation register = ref Append(offset);
                register.Leaves = register.Branches = true;
                register.Operation.Destination = Offset(i.Op0Register);
                _ended = true;
                register.Operation.Handler = call
                    ? _code64 ? (nint)(Handler)(&BranchHandlers.CallRegister<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.CallRegister<ShortStack>)
                    : _code64 ? (nint)(Handler)(&BranchHandlers.JumpRegister<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.JumpRegister<ShortStack>);
                return true;
            case OpKind.Memory when i.Code is Code.Jmp_rm64 or Code.Call_rm64 or Code.Jmp_rm32 or Code.Call_rm32:
                if (call && !stack)
                    return false;
                ref LoweredOperation memory = ref Append(offset);
                if (Address(ref memory, in i, false) == AddressForm.None)
                    return false;
                memory.Leaves = memory.Branches = true;
                _ended = true;
                memory.Operation.Handler = call
                    ? _code64 ? (nint)(Handler)(&BranchHandlers.CallMemory<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.CallMemory<ShortStack>)
                    : _code64 ? (nint)(Handler)(&BranchHandlers.JumpMemory<LongStack>)
                        : (nint)(Handler)(&BranchHandlers.JumpMemory<ShortStack>);
                return true;
            default:
                return false;
        }
    }

    private bool LowerReturn(in Instruction i, int offset)
    {
        if (!_linearRip || !(_code64 || _shortStack) || i.Code is not (Code.Retnq or Code.Retnq_imm16 or Code.Retnd or Code.Retnd_imm16))
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = operation.Branches = true;
        operation.Operation.Immediate = i.OpCount > 0 ? i.GetImmediate(0) : 0;
        operation.Operation.Handler = _code64 ? (nint)(Handler)(&BranchHandlers.Return<LongStack>)
            : (nint)(Handler)(&BranchHandlers.Return<ShortStack>);
        _ended = true;
        return true;
    }

    private bool LowerSet(in Instruction i, int offset)
    {
        if (i.Op0Kind != OpKind.Register)
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Reads = FlagUse.All;
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Operation.Handler = SetByte(i.ConditionCode);
        return true;
    }

    private bool LowerConditionalMove(in Instruction i, int offset)
    {
        if (i.Op1Kind != OpKind.Register)
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Reads = FlagUse.All;
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Operation.Source = Offset(i.Op1Register);
        operation.Operation.Handler = i.Op0Register.GetSize() switch
        {
            2 => ConditionalMove<ushort>(i.ConditionCode),
            4 => ConditionalMove<uint>(i.ConditionCode),
            _ => ConditionalMove<ulong>(i.ConditionCode),
        };
        return true;
    }
}
