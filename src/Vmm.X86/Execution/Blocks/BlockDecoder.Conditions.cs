using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private static nint Conditional(ConditionCode condition) => condition switch
    {
        ConditionCode.o => (nint)(Handler)(&BranchHandlers.Conditional<Overflow>),
        ConditionCode.no => (nint)(Handler)(&BranchHandlers.Conditional<NotOverflow>),
        ConditionCode.b => (nint)(Handler)(&BranchHandlers.Conditional<Below>),
        ConditionCode.ae => (nint)(Handler)(&BranchHandlers.Conditional<AboveOrEqual>),
        ConditionCode.e => (nint)(Handler)(&BranchHandlers.Conditional<Equal>),
        ConditionCode.ne => (nint)(Handler)(&BranchHandlers.Conditional<NotEqual>),
        ConditionCode.be => (nint)(Handler)(&BranchHandlers.Conditional<BelowOrEqual>),
        ConditionCode.a => (nint)(Handler)(&BranchHandlers.Conditional<Above>),
        ConditionCode.s => (nint)(Handler)(&BranchHandlers.Conditional<Sign>),
        ConditionCode.ns => (nint)(Handler)(&BranchHandlers.Conditional<NotSign>),
        ConditionCode.p => (nint)(Handler)(&BranchHandlers.Conditional<Parity>),
        ConditionCode.np => (nint)(Handler)(&BranchHandlers.Conditional<NotParity>),
        ConditionCode.l => (nint)(Handler)(&BranchHandlers.Conditional<Less>),
        ConditionCode.ge => (nint)(Handler)(&BranchHandlers.Conditional<GreaterOrEqual>),
        ConditionCode.le => (nint)(Handler)(&BranchHandlers.Conditional<LessOrEqual>),
        ConditionCode.g => (nint)(Handler)(&BranchHandlers.Conditional<Greater>),
        _ => 0,
    };

    private static nint ConditionalAcross<TStack>(ConditionCode condition)
        where TStack : struct, IStack => condition switch
        {
            ConditionCode.o => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Overflow, TStack>),
            ConditionCode.no => (nint)(Handler)(&BranchHandlers.ConditionalAcross<NotOverflow, TStack>),
            ConditionCode.b => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Below, TStack>),
            ConditionCode.ae => (nint)(Handler)(&BranchHandlers.ConditionalAcross<AboveOrEqual, TStack>),
            ConditionCode.e => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Equal, TStack>),
            ConditionCode.ne => (nint)(Handler)(&BranchHandlers.ConditionalAcross<NotEqual, TStack>),
            ConditionCode.be => (nint)(Handler)(&BranchHandlers.ConditionalAcross<BelowOrEqual, TStack>),
            ConditionCode.a => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Above, TStack>),
            ConditionCode.s => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Sign, TStack>),
            ConditionCode.ns => (nint)(Handler)(&BranchHandlers.ConditionalAcross<NotSign, TStack>),
            ConditionCode.p => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Parity, TStack>),
            ConditionCode.np => (nint)(Handler)(&BranchHandlers.ConditionalAcross<NotParity, TStack>),
            ConditionCode.l => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Less, TStack>),
            ConditionCode.ge => (nint)(Handler)(&BranchHandlers.ConditionalAcross<GreaterOrEqual, TStack>),
            ConditionCode.le => (nint)(Handler)(&BranchHandlers.ConditionalAcross<LessOrEqual, TStack>),
            ConditionCode.g => (nint)(Handler)(&BranchHandlers.ConditionalAcross<Greater, TStack>),
            _ => 0,
        };

    private static nint SetByte(ConditionCode condition) => condition switch
    {
        ConditionCode.o => (nint)(Handler)(&MoveHandlers.SetByte<Overflow>),
        ConditionCode.no => (nint)(Handler)(&MoveHandlers.SetByte<NotOverflow>),
        ConditionCode.b => (nint)(Handler)(&MoveHandlers.SetByte<Below>),
        ConditionCode.ae => (nint)(Handler)(&MoveHandlers.SetByte<AboveOrEqual>),
        ConditionCode.e => (nint)(Handler)(&MoveHandlers.SetByte<Equal>),
        ConditionCode.ne => (nint)(Handler)(&MoveHandlers.SetByte<NotEqual>),
        ConditionCode.be => (nint)(Handler)(&MoveHandlers.SetByte<BelowOrEqual>),
        ConditionCode.a => (nint)(Handler)(&MoveHandlers.SetByte<Above>),
        ConditionCode.s => (nint)(Handler)(&MoveHandlers.SetByte<Sign>),
        ConditionCode.ns => (nint)(Handler)(&MoveHandlers.SetByte<NotSign>),
        ConditionCode.p => (nint)(Handler)(&MoveHandlers.SetByte<Parity>),
        ConditionCode.np => (nint)(Handler)(&MoveHandlers.SetByte<NotParity>),
        ConditionCode.l => (nint)(Handler)(&MoveHandlers.SetByte<Less>),
        ConditionCode.ge => (nint)(Handler)(&MoveHandlers.SetByte<GreaterOrEqual>),
        ConditionCode.le => (nint)(Handler)(&MoveHandlers.SetByte<LessOrEqual>),
        ConditionCode.g => (nint)(Handler)(&MoveHandlers.SetByte<Greater>),
        _ => 0,
    };

    private static nint ConditionalMove<T>(ConditionCode condition)
        where T : unmanaged => condition switch
        {
            ConditionCode.o => (nint)(Handler)(&MoveHandlers.ConditionalMove<Overflow, T>),
            ConditionCode.no => (nint)(Handler)(&MoveHandlers.ConditionalMove<NotOverflow, T>),
            ConditionCode.b => (nint)(Handler)(&MoveHandlers.ConditionalMove<Below, T>),
            ConditionCode.ae => (nint)(Handler)(&MoveHandlers.ConditionalMove<AboveOrEqual, T>),
            ConditionCode.e => (nint)(Handler)(&MoveHandlers.ConditionalMove<Equal, T>),
            ConditionCode.ne => (nint)(Handler)(&MoveHandlers.ConditionalMove<NotEqual, T>),
            ConditionCode.be => (nint)(Handler)(&MoveHandlers.ConditionalMove<BelowOrEqual, T>),
            ConditionCode.a => (nint)(Handler)(&MoveHandlers.ConditionalMove<Above, T>),
            ConditionCode.s => (nint)(Handler)(&MoveHandlers.ConditionalMove<Sign, T>),
            ConditionCode.ns => (nint)(Handler)(&MoveHandlers.ConditionalMove<NotSign, T>),
            ConditionCode.p => (nint)(Handler)(&MoveHandlers.ConditionalMove<Parity, T>),
            ConditionCode.np => (nint)(Handler)(&MoveHandlers.ConditionalMove<NotParity, T>),
            ConditionCode.l => (nint)(Handler)(&MoveHandlers.ConditionalMove<Less, T>),
            ConditionCode.ge => (nint)(Handler)(&MoveHandlers.ConditionalMove<GreaterOrEqual, T>),
            ConditionCode.le => (nint)(Handler)(&MoveHandlers.ConditionalMove<LessOrEqual, T>),
            ConditionCode.g => (nint)(Handler)(&MoveHandlers.ConditionalMove<Greater, T>),
            _ => 0,
        };

    /// <summary>A comparison with its branch: every condition.</summary>
    private static nint FusedCompare<TOperation, T, TSource>(ConditionCode condition)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource => condition switch
        {
            ConditionCode.o => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Overflow, TSource>),
            ConditionCode.no => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotOverflow, TSource>),
            ConditionCode.b => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Below, TSource>),
            ConditionCode.ae => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, AboveOrEqual, TSource>),
            ConditionCode.e => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Equal, TSource>),
            ConditionCode.ne => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotEqual, TSource>),
            ConditionCode.be => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, BelowOrEqual, TSource>),
            ConditionCode.a => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Above, TSource>),
            ConditionCode.s => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Sign, TSource>),
            ConditionCode.ns => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotSign, TSource>),
            ConditionCode.p => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Parity, TSource>),
            ConditionCode.np => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotParity, TSource>),
            ConditionCode.l => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Less, TSource>),
            ConditionCode.ge => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, GreaterOrEqual, TSource>),
            ConditionCode.le => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, LessOrEqual, TSource>),
            ConditionCode.g => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Greater, TSource>),
            _ => 0,
        };

    /// <summary>Another operation with its branch: the conditions that need only the result.</summary>
    private static nint FusedResult<TOperation, T, TSource>(ConditionCode condition)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource => condition switch
        {
            ConditionCode.e => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Equal, TSource>),
            ConditionCode.ne => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotEqual, TSource>),
            ConditionCode.s => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, Sign, TSource>),
            ConditionCode.ns => (nint)(Handler)(&BranchHandlers.Fused<TOperation, T, NotSign, TSource>),
            _ => 0,
        };
}
