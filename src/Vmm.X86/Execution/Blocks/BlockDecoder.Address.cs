using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    /// <summary>Fills the memory operand in and says how its address is made.</summary>
    private AddressForm Address(ref LoweredOperation lowered, in Instruction i, bool write)
    {
        ref DecodedOperation operation = ref lowered.Operation;
        Iced.Intel.Register baseRegister = i.MemoryBase, index = i.MemoryIndex;
        int size = baseRegister != Iced.Intel.Register.None ? baseRegister.GetSize() : index != Iced.Intel.Register.None ? index.GetSize()
            : i.MemoryDisplSize;
        if (size == 0)
            size = 8;
        int segment = Operands.Segment(i.MemorySegment);
        int scale = BitOperations.Log2((uint)i.MemoryIndexScale);
        bool ripRelative = baseRegister == Iced.Intel.Register.RIP;
        if (baseRegister == Iced.Intel.Register.EIP || (index != Iced.Intel.Register.None && !index.IsGPR()))
            return AddressForm.None;
        long displacement = ripRelative ? (long)(i.MemoryDisplacement64 - _pageRip) : size == 8 ? (long)i.MemoryDisplacement64
            : (int)i.MemoryDisplacement32;
        if (displacement != (int)displacement)
            return AddressForm.None;
        operation.Displacement = (int)displacement;
        operation.Form = (byte)(scale | (segment << 2) | ((size == 8 ? 2 : size == 4 ? 1 : 0) << 5) | (ripRelative ? 0x80 : 0));
        if (baseRegister != Iced.Intel.Register.None && !ripRelative)
            operation.Base = Offset(baseRegister);
        if (index != Iced.Intel.Register.None)
            operation.Index = Offset(index);
        if (_code64)
        {
            if (size == 8 && segment >= SegmentIndex.Fs)
                return ripRelative ? AddressForm.Checked : AddressForm.Thread;
            if (segment >= SegmentIndex.Fs)
                return AddressForm.Checked;
            if (size == 4)
                return AddressForm.Short;
            return ripRelative ? AddressForm.Rip : index != Iced.Intel.Register.None ? AddressForm.Indexed : AddressForm.Base;
        }
        return _linearRip && size == 4 && segment < SegmentIndex.Fs && (segment != SegmentIndex.Cs || !write) ? AddressForm.Short
            : AddressForm.Checked;
    }

    private static nint Load<TOperation, T, TFlags>(AddressForm form)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy => form switch
        {
            AddressForm.Base => (nint)(Handler)(&BinaryHandlers.Load<TOperation, T, TFlags, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&BinaryHandlers.Load<TOperation, T, TFlags, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&BinaryHandlers.Load<TOperation, T, TFlags, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&BinaryHandlers.Load<TOperation, T, TFlags, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&BinaryHandlers.Load<TOperation, T, TFlags, ShortAddress>),
            _ => (nint)(Handler)(&BinaryHandlers.LoadSlow<TOperation, T, TFlags>),
        };

    private static nint Modify<TOperation, T, TSource>(AddressForm form)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource => form switch
        {
            AddressForm.Base => (nint)(Handler)(&BinaryHandlers.Modify<TOperation, T, TSource, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&BinaryHandlers.Modify<TOperation, T, TSource, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&BinaryHandlers.Modify<TOperation, T, TSource, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&BinaryHandlers.Modify<TOperation, T, TSource, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&BinaryHandlers.Modify<TOperation, T, TSource, ShortAddress>),
            _ => (nint)(Handler)(&BinaryHandlers.ModifySlow<TOperation, T, TSource>),
        };

    private static nint Examine<TOperation, T, TSource>(AddressForm form)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource => form switch
        {
            AddressForm.Base => (nint)(Handler)(&BinaryHandlers.Examine<TOperation, T, TSource, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&BinaryHandlers.Examine<TOperation, T, TSource, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&BinaryHandlers.Examine<TOperation, T, TSource, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&BinaryHandlers.Examine<TOperation, T, TSource, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&BinaryHandlers.Examine<TOperation, T, TSource, ShortAddress>),
            _ => (nint)(Handler)(&BinaryHandlers.ExamineSlow<TOperation, T, TSource>),
        };

    private static nint Store<T, TSource>(AddressForm form)
        where T : unmanaged
        where TSource : struct, ISource => form switch
        {
            AddressForm.Base => (nint)(Handler)(&MoveHandlers.Store<T, TSource, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&MoveHandlers.Store<T, TSource, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&MoveHandlers.Store<T, TSource, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&MoveHandlers.Store<T, TSource, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&MoveHandlers.Store<T, TSource, ShortAddress>),
            _ => (nint)(Handler)(&MoveHandlers.StoreSlow<T, TSource>),
        };

    private static nint LoadExtend<TFrom, TTo, TExtension>(AddressForm form)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TExtension : struct, IExtension => form switch
        {
            AddressForm.Base => (nint)(Handler)(&MoveHandlers.LoadExtend<TFrom, TTo, TExtension, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&MoveHandlers.LoadExtend<TFrom, TTo, TExtension, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&MoveHandlers.LoadExtend<TFrom, TTo, TExtension, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&MoveHandlers.LoadExtend<TFrom, TTo, TExtension, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&MoveHandlers.LoadExtend<TFrom, TTo, TExtension, ShortAddress>),
            _ => (nint)(Handler)(&MoveHandlers.LoadExtendSlow<TFrom, TTo, TExtension>),
        };

    private static nint EffectiveAddress<T>(AddressForm form)
        where T : unmanaged => form switch
        {
            AddressForm.Base => (nint)(Handler)(&MoveHandlers.EffectiveAddress<T, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&MoveHandlers.EffectiveAddress<T, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&MoveHandlers.EffectiveAddress<T, RipAddress>),
            AddressForm.Short => (nint)(Handler)(&MoveHandlers.EffectiveAddress<T, ShortAddress>),
            _ => (nint)(Handler)(&MoveHandlers.EffectiveAddressAny<T>),
        };
}
