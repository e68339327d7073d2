using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private bool LowerShift<TShift>(in Instruction i, int offset)
        where TShift : struct, IShift
    {
        if (i.Op0Kind != OpKind.Register)
            return false;
        return i.Op0Register.GetSize() switch
        {
            1 => LowerShift<TShift, byte>(in i, offset),
            2 => LowerShift<TShift, ushort>(in i, offset),
            4 => LowerShift<TShift, uint>(in i, offset),
            _ => LowerShift<TShift, ulong>(in i, offset),
        };
    }

    private bool LowerShift<TShift, T>(in Instruction i, int offset)
        where TShift : struct, IShift
        where T : unmanaged, IBinaryInteger<T>
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.MayWrite = FlagUse.All;
        if (i.Op1Kind == OpKind.Register)
        {
            operation.Operation.Handler = (nint)(Handler)(&ShiftHandlers.Variable<TShift, T, RecordFlags>);
            operation.QuietHandler = (nint)(Handler)(&ShiftHandlers.Variable<TShift, T, DropFlags>);
            return true;
        }
        int count = (int)i.GetImmediate(1) & (sizeof(T) == 8 ? 63 : 31);
        if (count == 0)
            return false;
        operation.Operation.Immediate = (ulong)count;
        operation.Writes = TShift.Rotates ? FlagUse.Carry : FlagUse.All;
        operation.Operation.Handler = (nint)(Handler)(&ShiftHandlers.Constant<TShift, T, RecordFlags>);
        operation.QuietHandler = (nint)(Handler)(&ShiftHandlers.Constant<TShift, T, DropFlags>);
        if (FollowsMove(sizeof(T)))
        {
            ref LoweredOperation merged = ref MergeMove();
            merged.Operation.Handler = (nint)(Handler)(&ShiftHandlers.Moved<TShift, T, RecordFlags>);
            merged.QuietHandler = (nint)(Handler)(&ShiftHandlers.Moved<TShift, T, DropFlags>);
        }
        return true;
    }

    private bool LowerMultiply(in Instruction i, int offset)
    {
        if (i.OpCount == 2)
            return LowerBinary<Multiply>(in i, offset, FlagUse.None, FlagUse.All);
        if (i.OpCount != 3 || i.Op1Kind != OpKind.Register)
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Writes = FlagUse.All;
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Operation.Source = Offset(i.Op1Register);
        operation.Operation.Immediate = i.GetImmediate(2);
        switch (i.Op0Register.GetSize())
        {
            case 2:
                operation.Operation.Handler = (nint)(Handler)(&MultiplyInstructions.Constant<ushort, RecordFlags>);
                operation.QuietHandler = (nint)(Handler)(&MultiplyInstructions.Constant<ushort, DropFlags>);
                return true;
            case 4:
                operation.Operation.Handler = (nint)(Handler)(&MultiplyInstructions.Constant<uint, RecordFlags>);
                operation.QuietHandler = (nint)(Handler)(&MultiplyInstructions.Constant<uint, DropFlags>);
                return true;
            default:
                operation.Operation.Handler = (nint)(Handler)(&MultiplyInstructions.Constant<ulong, RecordFlags>);
                operation.QuietHandler = (nint)(Handler)(&MultiplyInstructions.Constant<ulong, DropFlags>);
                return true;
        }
    }
}
