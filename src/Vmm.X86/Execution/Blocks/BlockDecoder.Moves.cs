using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private bool LowerMove(in Instruction i, int offset) => OperandSize(in i, i.Op0Kind == OpKind.Register ? 0 : 1) switch
    {
        1 => LowerMove<byte>(in i, offset),
        2 => LowerMove<ushort>(in i, offset),
        4 => LowerMove<uint>(in i, offset),
        8 => LowerMove<ulong>(in i, offset),
        _ when i.Op0Kind == OpKind.Memory && i.Op1Kind != OpKind.Register => i.MemorySize.GetSize() switch
        {
            1 => LowerMove<byte>(in i, offset),
            2 => LowerMove<ushort>(in i, offset),
            4 => LowerMove<uint>(in i, offset),
            _ => LowerMove<ulong>(in i, offset),
        },
        _ => false,
    };

    private bool LowerMove<T>(in Instruction i, int offset)
        where T : unmanaged, IBinaryInteger<T>
    {
        ref LoweredOperation operation = ref Append(offset);
        if (i.Op0Kind == OpKind.Memory)
        {
            operation.Leaves = true;
            AddressForm form = Address(ref operation, in i, true);
            if (i.Op1Kind == OpKind.Register)
            {
                if (!i.Op1Register.IsGPR())
                    return false;
                operation.Operation.Source = Offset(i.Op1Register);
                operation.Operation.Handler = Store<T, RegisterSource>(form);
            }
            else
            {
                operation.Operation.Immediate = i.GetImmediate(1);
                operation.Operation.Handler = Store<T, ImmediateSource>(form);
            }
            return form != AddressForm.None;
        }
        if (!i.Op0Register.IsGPR())
            return false;
        operation.Operation.Destination = Offset(i.Op0Register);
        switch (i.Op1Kind)
        {
            case OpKind.Register:
                if (!i.Op1Register.IsGPR())
                    return false;
                operation.Operation.Source = Offset(i.Op1Register);
                operation.Operation.Handler = (nint)(Handler)(&MoveHandlers.Move<T, RegisterSource>);
                operation.MoveWidth = (byte)(sizeof(T) >= 4 ? sizeof(T) : 0);
                return true;
            case OpKind.Memory:
                operation.Leaves = true;
                AddressForm form = Address(ref operation, in i, false);
                operation.Operation.Handler = LoadExtend<T, T, ZeroExtension>(form);
                return form != AddressForm.None;
            default:
                operation.Operation.Immediate = i.GetImmediate(1);
                operation.Operation.Handler = (nint)(Handler)(&MoveHandlers.Move<T, ImmediateSource>);
                return true;
        }
    }

    private bool LowerExtend<TExtension>(in Instruction i, int offset)
        where TExtension : struct, IExtension => (OperandSize(in i, 1), i.Op0Register.GetSize()) switch
        {
            (1, 2) => LowerExtend<byte, ushort, TExtension>(in i, offset),
            (1, 4) => LowerExtend<byte, uint, TExtension>(in i, offset),
            (1, 8) => LowerExtend<byte, ulong, TExtension>(in i, offset),
            (2, 2) => LowerExtend<ushort, ushort, TExtension>(in i, offset),
            (2, 4) => LowerExtend<ushort, uint, TExtension>(in i, offset),
            (2, 8) => LowerExtend<ushort, ulong, TExtension>(in i, offset),
            (4, 4) => LowerExtend<uint, uint, TExtension>(in i, offset),
            (4, 8) => LowerExtend<uint, ulong, TExtension>(in i, offset),
            _ => false,
        };

    private bool LowerExtend<TFrom, TTo, TExtension>(in Instruction i, int offset)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TExtension : struct, IExtension
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Destination = Offset(i.Op0Register);
        if (i.Op1Kind == OpKind.Register)
        {
            operation.Operation.Source = Offset(i.Op1Register);
            operation.Operation.Handler = (nint)(Handler)(&MoveHandlers.Extend<TFrom, TTo, TExtension>);
            return true;
        }
        operation.Leaves = true;
        AddressForm form = Address(ref operation, in i, false);
        operation.Operation.Handler = LoadExtend<TFrom, TTo, TExtension>(form);
        return form != AddressForm.None;
    }

    private bool LowerEffectiveAddress(in Instruction i, int offset)
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Destination = Offset(i.Op0Register);
        AddressForm form = Address(ref operation, in i, false);
        if (form == AddressForm.None)
            return false;
        // A segment plays no part in LEA, and wrapping to 32 bits is the same with and without one.
        bool wide = ((operation.Operation.Form >> 5) & 3) == 2;
        form = !wide ? ((operation.Operation.Form >> 5) & 3) == 1 ? AddressForm.Short : AddressForm.Checked
            : (operation.Operation.Form & 0x80) != 0 ? AddressForm.Rip
            : operation.Operation.Index == VcpuState.ZeroOffset ? AddressForm.Base : AddressForm.Indexed;
        operation.Operation.Handler = i.Op0Register.GetSize() switch
        {
            2 => EffectiveAddress<ushort>(form),
            4 => EffectiveAddress<uint>(form),
            _ => EffectiveAddress<ulong>(form),
        };
        return true;
    }

    private bool LowerExchange(in Instruction i, int offset)
    {
        if (i.Op0Kind != OpKind.Register || i.Op1Kind != OpKind.Register)
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Operation.Source = Offset(i.Op1Register);
        operation.Operation.Handler = i.Op0Register.GetSize() switch
        {
            1 => (nint)(Handler)(&MoveHandlers.Exchange<byte>),
            2 => (nint)(Handler)(&MoveHandlers.Exchange<ushort>),
            4 => (nint)(Handler)(&MoveHandlers.Exchange<uint>),
            _ => (nint)(Handler)(&MoveHandlers.Exchange<ulong>),
        };
        return true;
    }

    private bool LowerPush(in Instruction i, int offset)
    {
        bool register = i.Op0Kind == OpKind.Register;
        if (i.Op0Kind == OpKind.Memory || (register && !i.Op0Register.IsGPR()) || i.StackPointerIncrement != (_code64 ? -8 : -4))
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = true;
        if (register)
            operation.Operation.Source = Offset(i.Op0Register);
        else
            operation.Operation.Immediate = i.GetImmediate(0);
        if (_code64)
        {
            operation.Operation.Handler = register ? (nint)(Handler)(&StackHandlers.Push<LongStack, RegisterSource>)
                : (nint)(Handler)(&StackHandlers.Push<LongStack, ImmediateSource>);
            return true;
        }
        operation.Operation.Handler = register ? (nint)(Handler)(&StackHandlers.Push<ShortStack, RegisterSource>)
            : (nint)(Handler)(&StackHandlers.Push<ShortStack, ImmediateSource>);
        return _shortStack;
    }

    private bool LowerPop(in Instruction i, int offset)
    {
        if (i.Op0Kind != OpKind.Register || !i.Op0Register.IsGPR() || i.StackPointerIncrement != (_code64 ? 8 : 4) || !(_code64
            || _shortStack))
            return false;
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = true;
        operation.Operation.Destination = Offset(i.Op0Register);
        operation.Operation.Handler = _code64 ? (nint)(Handler)(&StackHandlers.Pop<LongStack>)
            : (nint)(Handler)(&StackHandlers.Pop<ShortStack>);
        return true;
    }
}
