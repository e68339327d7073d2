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

    /// <summary>An operation of one width only.</summary>
    private static nint Only<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IVexOperation => VexHandlers.Of<TOperation>(form);
}
