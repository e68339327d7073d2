namespace Vmm.X86.Execution;

/// <summary>All x87 instructions, EMMS, FXSAVE, FXRSTOR, XSAVE and XRSTOR.</summary>
internal static class X87Instructions
{
    /// <summary>Enters every handler of this folder.</summary>
    public static void Register(InstructionTable table)
    {
        X87ArithmeticInstructions.Register(table);
        X87LoadInstructions.Register(table);
        X87StoreInstructions.Register(table);
        X87CompareInstructions.Register(table);
        X87RegisterInstructions.Register(table);
        X87FunctionInstructions.Register(table);
        X87ControlInstructions.Register(table);
        X87StateInstructions.Register(table);
        FxsaveInstructions.Register(table);
        XsaveInstructions.Register(table);
    }
}
