using Iced.Intel;

namespace Vmm.X86.Execution;

// Compact forms of what compute kernels and string functions use; everything else runs from Iced's form.
// SAFETY: only takes addresses of handlers.
internal sealed unsafe partial class BlockDecoder
{
    /// <summary>Appends the compact form of an SSE instruction; false when there is none, or SSE may not run in this mode.</summary>
    private bool LowerSimd(in Instruction i, int offset) => i.Encoding == EncodingKind.VEX
        ? LowerVex(in i, offset)
        : (_mode & ExecutionMode.SseUsable) != 0 && LowerSimdFloat(in i, offset);

    /// <summary>Register and register, memory or immediate.</summary>
    private bool LowerSimd<TOperation>(in Instruction i, int offset, int destinationPart = 0, int sourcePart = 0)
        where TOperation : struct, ISimdOperation
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Operation.Destination = (ushort)(SimdOffset(i.Op0Register) + destinationPart);
        int last = i.OpCount - 1;
        if (i.GetOpKind(last) == OpKind.Immediate8)
            operation.Operation.Immediate = i.Immediate8;
        if (i.Op1Kind == OpKind.Memory)
        {
            operation.Leaves = true;
            AddressForm form = Address(ref operation, in i, false);
            operation.Operation.Handler = SimdLoad<TOperation>(form);
            return form != AddressForm.None;
        }
        operation.Operation.Source = i.Op1Kind == OpKind.Register
            ? (ushort)(SimdOffset(i.Op1Register) + sourcePart)
            : operation.Operation.Destination;
        operation.Operation.Handler = (nint)(Handler)(&SimdHandlers.Register<TOperation>);
        return true;
    }

    /// <inheritdoc cref="LowerSimd{TOperation}(in Instruction, int, int, int)"/>
    private bool LowerPlainSimd<TOperation>(in Instruction i, int offset, int destinationPart = 0, int sourcePart = 0)
        where TOperation : struct, ISimdPlainOperation => LowerSimd<SimdPlain<TOperation>>(in i, offset, destinationPart, sourcePart);

    private static nint SimdLoad<TOperation>(AddressForm form)
        where TOperation : struct, ISimdOperation => form switch
        {
            AddressForm.Base => (nint)(Handler)(&SimdHandlers.Load<TOperation, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&SimdHandlers.Load<TOperation, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&SimdHandlers.Load<TOperation, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&SimdHandlers.Load<TOperation, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&SimdHandlers.Load<TOperation, ShortAddress>),
            _ => (nint)(Handler)(&SimdHandlers.LoadSlow<TOperation>),
        };

    /// <summary>Byte offset of an XMM or general register in the state block.</summary>
    private static ushort SimdOffset(Iced.Intel.Register register) => register.IsXMM()
        ? (ushort)(VcpuState.VectorOffset + ((register - Iced.Intel.Register.XMM0) * 32))
        : Offset(register);
}
