using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// The VEX-encoded vector instructions whose operands are (destination, [first source,] second source or memory[, immediate or register]):
/// one entry for each of Iced's codes. Made when the first of them is met.
/// </summary>
// SAFETY: the arrays hold addresses of static methods of this assembly, which never move or unload.
internal sealed unsafe partial class VexCatalog
{
    private readonly delegate*<VexForm, bool, nint>[] _handlers = new delegate*<VexForm, bool, nint>[Enum.GetValues<Code>().Length];
    private readonly bool[] _wide = new bool[Enum.GetValues<Code>().Length];

    private VexCatalog()
    {
        AddMoves();
        AddArithmetic();
        AddLogic();
        AddShifts();
        AddFormat();
        AddPermutations();
        AddElements();
        AddFloat();
        AddConversions();
        AddFused();
        AddCiphers();
    }

    /// <summary>The catalogue.</summary>
    public static VexCatalog Instance { get; } = new();

    /// <summary>The address of a handler of an instruction; 0 when it is not here.</summary>
    public nint this[Code code, VexForm form] => _handlers[(int)code] == null ? 0 : _handlers[(int)code](form, _wide[(int)code]);

    /// <summary>Two codes that follow each other: the 128-bit and the 256-bit form of one instruction.</summary>
    private void Both(Code code, delegate*<VexForm, bool, nint> handlers)
    {
        Narrow(code, handlers);
        Wide(code + 1, handlers);
    }

    private void Narrow(Code code, delegate*<VexForm, bool, nint> handlers) => _handlers[(int)code] = handlers;

    private void Wide(Code code, delegate*<VexForm, bool, nint> handlers)
    {
        _handlers[(int)code] = handlers;
        _wide[(int)code] = true;
    }

    /// <summary>An operation for each width.</summary>
    private static nint Either<TNarrow, TWide>(VexForm form, bool wide)
        where TNarrow : struct, IVexOperation
        where TWide : struct, IVexOperation => wide ? VexHandlers.Of<TWide>(form) : VexHandlers.Of<TNarrow>(form);

    /// <summary>A plain operation for each width.</summary>
    private static nint Plain<TNarrow, TWide>(VexForm form, bool wide)
        where TNarrow : struct, IVexPlainOperation
        where TWide : struct, IVexPlainOperation => Either<VexPlain<TNarrow>, VexPlain<TWide>>(form, wide);

    /// <summary>A plain operation of one width only.</summary>
    private static nint Plain<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IVexPlainOperation => VexHandlers.Of<VexPlain<TOperation>>(form);

    /// <summary>A short packed operation.</summary>
    private static nint Packed<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IPackedOperation => Plain<VexPacked<TOperation, Width128>, VexPacked<TOperation, Width256>>(form, wide);

    /// <summary>A longer packed operation.</summary>
    private static nint PackedCall<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IPackedOperation =>
        Plain<VexPackedCall<TOperation, Width128>, VexPackedCall<TOperation, Width256>>(form, wide);

    /// <summary>A packed operation with an immediate.</summary>
    private static nint Immediate<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IPackedImmediateOperation =>
        Plain<VexPackedImmediate<TOperation, Width128>, VexPackedImmediate<TOperation, Width256>>(form, wide);

    private static nint Shift<TShift>(VexForm form, bool wide)
        where TShift : struct, IPackedShift => Plain<VexShift<TShift, Width128>, VexShift<TShift, Width256>>(form, wide);

    private static nint ShiftImmediate<TShift>(VexForm form, bool wide)
        where TShift : struct, IPackedShift =>
        Plain<VexShiftImmediate<TShift, Width128>, VexShiftImmediate<TShift, Width256>>(form, wide);
}
