using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private void Lower(in Instruction i, int offset)
    {
        int before = _count;
        if (!i.HasLockPrefix && (_vexExists || i.Encoding == EncodingKind.Legacy) && (_model.IsAvailable(i.Code) || i.Mnemonic == Mnemonic.Reservednop) && LowerCompact(in i, offset))
            return;
        _count = before;
        Table(in i, offset);
    }

    /// <summary>Appends the compact form; false when there is none.</summary>
    private bool LowerCompact(in Instruction i, int offset)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov:
                return LowerMove(in i, offset);
            case Mnemonic.Add:
                return LowerBinary<Add>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Sub:
                return LowerBinary<Subtract>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Cmp:
                return LowerBinary<Compare>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.And:
                return LowerBinary<And>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Or:
                return LowerBinary<Or>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Xor:
                return LowerBinary<Xor>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Test:
                return LowerBinary<TestBits>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Adc:
                return LowerBinary<AddWithCarry>(in i, offset, FlagUse.Carry, FlagUse.All);
            case Mnemonic.Sbb:
                return LowerBinary<SubtractWithBorrow>(in i, offset, FlagUse.Carry, FlagUse.All);
            case Mnemonic.Inc:
                return LowerBinary<Increment>(in i, offset, FlagUse.None, FlagUse.Others);
            case Mnemonic.Dec:
                return LowerBinary<Decrement>(in i, offset, FlagUse.None, FlagUse.Others);
            case Mnemonic.Neg:
                return LowerBinary<Negate>(in i, offset, FlagUse.None, FlagUse.All);
            case Mnemonic.Not:
                return LowerBinary<Complement>(in i, offset, FlagUse.None, FlagUse.None);
            case Mnemonic.Imul:
                return LowerMultiply(in i, offset);
            case Mnemonic.Shl or Mnemonic.Sal:
                return LowerShift<ShiftLeft>(in i, offset);
            case Mnemonic.Shr:
                return LowerShift<ShiftRight>(in i, offset);
            case Mnemonic.Sar:
                return LowerShift<ShiftArithmetic>(in i, offset);
            case Mnemonic.Rol:
                return LowerShift<RotateLeft>(in i, offset);
            case Mnemonic.Ror:
                return LowerShift<RotateRight>(in i, offset);
            case Mnemonic.Movzx:
                return LowerExtend<ZeroExtension>(in i, offset);
            case Mnemonic.Movsx or Mnemonic.Movsxd:
                return LowerExtend<SignExtension>(in i, offset);
            case Mnemonic.Lea:
                return LowerEffectiveAddress(in i, offset);
            case Mnemonic.Xchg:
                return LowerExchange(in i, offset);
            case Mnemonic.Pause:
                return Simple(offset, (nint)(Handler)(&MoveHandlers.Pause));
            case Mnemonic.Nop or Mnemonic.Endbr64 or Mnemonic.Endbr32 or Mnemonic.Reservednop or Mnemonic.Prefetchnta
                or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2 or Mnemonic.Prefetchw or Mnemonic.Prefetch:
                return Simple(offset, (nint)(Handler)(&MoveHandlers.Nothing));
            case Mnemonic.Cbw:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.Extend<byte, ushort, SignExtension>), 0);
            case Mnemonic.Cwde:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.Extend<ushort, uint, SignExtension>), 0);
            case Mnemonic.Cdqe:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.Extend<uint, ulong, SignExtension>), 0);
            case Mnemonic.Cwd:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.SpreadSign<ushort>), 2 * 8);
            case Mnemonic.Cdq:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.SpreadSign<uint>), 2 * 8);
            case Mnemonic.Cqo:
                return Fixed(offset, (nint)(Handler)(&MoveHandlers.SpreadSign<ulong>), 2 * 8);
            case Mnemonic.Push:
                return LowerPush(in i, offset);
            case Mnemonic.Pop:
                return LowerPop(in i, offset);
            case Mnemonic.Jmp or Mnemonic.Call:
                return LowerJump(in i, offset);
            case Mnemonic.Ret:
                return LowerReturn(in i, offset);
            default:
                if (i.ConditionCode == ConditionCode.None)
                    return LowerSimd(in i, offset);
                if (i.IsJccShortOrNear)
                    return LowerConditional(in i, offset);
                return i.Code is >= Code.Seto_rm8 and <= Code.Setg_rm8 ? LowerSet(in i, offset)
                    : i.Code is >= Code.Cmovo_r16_rm16 and <= Code.Cmovg_r64_rm64 && LowerConditionalMove(in i, offset);
        }
    }

    private bool Simple(int offset, nint handler)
    {
        Append(offset).Operation.Handler = handler;
        return true;
    }

    /// <summary>An operation with RAX as source.</summary>
    private bool Fixed(int offset, nint handler, ushort destination)
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Handler = handler;
        operation.Operation.Destination = destination;
        return true;
    }

    private bool LowerBinary<TOperation>(in Instruction i, int offset, FlagUse reads, FlagUse writes)
        where TOperation : struct, IBinaryOperation => OperandSize(in i, 0) switch
        {
            1 => LowerBinary<TOperation, byte>(in i, offset, reads, writes),
            2 => LowerBinary<TOperation, ushort>(in i, offset, reads, writes),
            4 => LowerBinary<TOperation, uint>(in i, offset, reads, writes),
            8 => LowerBinary<TOperation, ulong>(in i, offset, reads, writes),
            _ => false,
        };

    private bool LowerBinary<TOperation, T>(in Instruction i, int offset, FlagUse reads, FlagUse writes)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Reads = reads;
        operation.Writes = writes;
        bool second = i.OpCount > 1;
        OpKind kind0 = i.Op0Kind, kind1 = second ? i.Op1Kind : OpKind.Register;
        if (kind0 == OpKind.Register && kind1 == OpKind.Memory)
        {
            operation.Operation.Destination = Offset(i.Op0Register);
            AddressForm form = Address(ref operation, in i, false);
            operation.Operation.Handler = Load<TOperation, T, RecordFlags>(form);
            operation.QuietHandler = Load<TOperation, T, DropFlags>(form);
            operation.Leaves = true;
            return form != AddressForm.None;
        }
        bool immediate = kind1 is not (OpKind.Register or OpKind.Memory);
        if (immediate)
            operation.Operation.Immediate = i.GetImmediate(1);
        if (kind0 == OpKind.Memory)
        {
            if (!immediate && second)
                operation.Operation.Source = Offset(i.Op1Register);
            AddressForm form = Address(ref operation, in i, TOperation.Stores);
            operation.Leaves = true;
            if (TOperation.Stores)
            {
                operation.Operation.Handler = immediate ? Modify<TOperation, T, ImmediateSource>(form)
                    : Modify<TOperation, T, RegisterSource>(form);
            }
            else
            {
                operation.Operation.Handler = immediate ? Examine<TOperation, T, ImmediateSource>(form)
                    : Examine<TOperation, T, RegisterSource>(form);
            }
            return form != AddressForm.None;
        }
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Fuse = i.Mnemonic switch
        {
            Mnemonic.Cmp => FusibleOperation.Compare,
            Mnemonic.Sub => FusibleOperation.Subtract,
            Mnemonic.Test => FusibleOperation.Test,
            Mnemonic.And => FusibleOperation.And,
            Mnemonic.Dec => FusibleOperation.Decrement,
            Mnemonic.Inc => FusibleOperation.Increment,
            Mnemonic.Add => FusibleOperation.Add,
            _ => FusibleOperation.None,
        };
        operation.FuseWidth = (byte)sizeof(T);
        operation.FuseImmediate = immediate;
        if (immediate)
        {
            operation.Operation.Handler = (nint)(Handler)(&BinaryHandlers.Register<TOperation, T, RecordFlags, ImmediateSource>);
            operation.QuietHandler = (nint)(Handler)(&BinaryHandlers.Register<TOperation, T, DropFlags, ImmediateSource>);
        }
        else
        {
            if (second)
                operation.Operation.Source = Offset(i.Op1Register);
            operation.Operation.Handler = (nint)(Handler)(&BinaryHandlers.Register<TOperation, T, RecordFlags, RegisterSource>);
            operation.QuietHandler = (nint)(Handler)(&BinaryHandlers.Register<TOperation, T, DropFlags, RegisterSource>);
        }
        if (TOperation.Stores && FollowsMove(sizeof(T)))
        {
            ref LoweredOperation merged = ref MergeMove();
            merged.Operation.Handler = immediate ? (nint)(Handler)(&BinaryHandlers.Moved<TOperation, T, RecordFlags, ImmediateSource>)
                : (nint)(Handler)(&BinaryHandlers.Moved<TOperation, T, RecordFlags, RegisterSource>);
            merged.QuietHandler = immediate ? (nint)(Handler)(&BinaryHandlers.Moved<TOperation, T, DropFlags, ImmediateSource>)
                : (nint)(Handler)(&BinaryHandlers.Moved<TOperation, T, DropFlags, RegisterSource>);
        }
        return true;
    }

    /// <summary>The operation just appended changes a register that the one before it has just been moved to.</summary>
    private bool FollowsMove(int width) => _count > 1 && _operations[_count - 2].MoveWidth == width
        && _operations[_count - 2].Operation.Destination == _operations[_count - 1].Operation.Destination;

    /// <summary>
    /// Makes one operation of three operands of a move and what changes its destination: the moved register becomes the base.
    /// </summary>
    private ref LoweredOperation MergeMove()
    {
        DecodedOperation move = _operations[_count - 2].Operation;
        ref LoweredOperation merged = ref _operations[_count - 2];
        merged = _operations[_count - 1];
        _count--;
        merged.Fuse = FusibleOperation.None;
        merged.Operation.Base = move.Source;
        if (merged.Operation.Source == move.Destination)
            merged.Operation.Source = move.Source;
        merged.Operation.Offset = move.Offset;
        merged.Operation.Before = move.Before;
        return ref merged;
    }

    /// <summary>Bytes of an operand: the register's or the memory access's.</summary>
    private static int OperandSize(in Instruction i, int operand) => i.GetOpKind(operand) == OpKind.Register
        ? (i.GetOpRegister(operand).IsGPR() ? i.GetOpRegister(operand).GetSize() : 0)
        : i.GetOpKind(operand) == OpKind.Memory ? i.MemorySize.GetSize() : 0;
}
