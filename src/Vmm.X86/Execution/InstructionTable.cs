using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>
/// The instructions that are executed from Iced's decoded form rather than from a compact operation: everything that is not hot. One entry
/// for
/// each of Iced's codes; null where nothing is registered (then the code is #UD unless the compact decoder knows it).
/// </summary>
/// <remarks>
/// A handler reads operands through <see cref="Operands"/>, commits only after its last memory access and says how it ended. RIP is that of
/// the
/// instruction itself while it runs; <c>instruction->NextIP</c> is the address after it.
/// </remarks>
// SAFETY: the array holds addresses of static methods of this assembly, which never move or unload.
public sealed unsafe class InstructionTable
{
    private readonly delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>[] _handlers =
        new delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>[Enum.GetValues<Code>().Length];

    private InstructionTable()
    {
    }

    /// <summary>The table; made once.</summary>
    public static InstructionTable Instance { get; } = Build();

    /// <summary>The handler of a code, or null.</summary>
    public delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> this[Code code]
    {
        get
        {
            delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> handler = _handlers[(int)code];
            if (handler == null && code.Encoding() == EncodingKind.VEX)
            {
                handler = (delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>)VexCatalog.Instance[code, VexForm.Table];
                _handlers[(int)code] = handler;
            }
            return handler;
        }
    }

    /// <summary>Registers one encoding.</summary>
    public void Set(Code code, delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> handler) => _handlers[(int)code] = handler;

    /// <summary>Registers every legacy-encoded form of a mnemonic.</summary>
    public void Set(Mnemonic mnemonic, delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> handler)
    {
        for (int code = 0; code < _handlers.Length; code++)
        {
            if (((Code)code).Mnemonic() == mnemonic && ((Code)code).Encoding() == EncodingKind.Legacy)
                _handlers[code] = handler;
        }
    }

    /// <summary>Registers every VEX-encoded form of a mnemonic.</summary>
    public void SetVex(Mnemonic mnemonic, delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> handler)
    {
        for (int code = 0; code < _handlers.Length; code++)
        {
            if (((Code)code).Mnemonic() == mnemonic && ((Code)code).Encoding() == EncodingKind.VEX)
                _handlers[code] = handler;
        }
    }

    private static InstructionTable Build()
    {
        InstructionTable table = new();
        BinaryInstructions.Register(table);
        MoveInstructions.Register(table);
        MultiplyInstructions.Register(table);
        ShiftHandlers.Register(table);
        BitInstructions.Register(table);
        BitManipulationInstructions.Register(table);
        DecimalInstructions.Register(table);
        FlagInstructions.Register(table);
        StackInstructions.Register(table);
        BranchInstructions.Register(table);
        StringInstructions.Register(table);
        ControlRegisterInstructions.Register(table);
        IdentificationInstructions.Register(table);
        ProcessorControlInstructions.Register(table);
        PortInstructions.Register(table);
        SegmentInstructions.Register(table);
        TableInstructions.Register(table);
        FarTransferInstructions.Register(table);
        InterruptInstructions.Register(table);
        DebugInstructions.Register(table);
        SystemCallInstructions.Register(table);
        DescriptorInstructions.Register(table);
        SimdInstructions.Register(table);
        X87Instructions.Register(table);
        VexStores.Register(table);
        VexShared.Register(table);
        VexHalfStores.Register(table);
        VexMaskedMoves.Register(table);
        VexGathers.Register(table);
        return table;
    }
}
