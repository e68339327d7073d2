using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Conditions of table instructions.</summary>
// SAFETY: the pointer is the processor's state block.
internal static unsafe class ConditionTest
{
    public static bool Holds(VcpuState* s, ConditionCode condition) => condition switch
    {
        ConditionCode.o => Overflow.Test(s),
        ConditionCode.no => NotOverflow.Test(s),
        ConditionCode.b => Below.Test(s),
        ConditionCode.ae => AboveOrEqual.Test(s),
        ConditionCode.e => Equal.Test(s),
        ConditionCode.ne => NotEqual.Test(s),
        ConditionCode.be => BelowOrEqual.Test(s),
        ConditionCode.a => Above.Test(s),
        ConditionCode.s => Sign.Test(s),
        ConditionCode.ns => NotSign.Test(s),
        ConditionCode.p => Parity.Test(s),
        ConditionCode.np => NotParity.Test(s),
        ConditionCode.l => Less.Test(s),
        ConditionCode.ge => GreaterOrEqual.Test(s),
        ConditionCode.le => LessOrEqual.Test(s),
        ConditionCode.g => Greater.Test(s),
        _ => true,
    };
}
