using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

/// <summary>
/// Finds out whether the runtime turns a handler's last call into a jump, by running a chain of them and watching the stack.
/// </summary>
// SAFETY: the chain is a native array that lives for the probe; the stack address is only compared.
internal static unsafe class TailCallProbe
{
    private const int Links = 1000;

    [ThreadStatic]
    private static nuint _stack;

    public static bool Works()
    {
        DecodedOperation* chain = (DecodedOperation*)NativeMemory.AllocZeroed(Links + 2, (nuint)sizeof(DecodedOperation));
        VcpuState* state = (VcpuState*)NativeMemory.AllocZeroed((nuint)sizeof(VcpuState));
        try
        {
            for (int i = 0; i < Links; i++)
                chain[i].Handler = (nint)(delegate*<ProcessorCore?, VcpuState*, DecodedOperation*, DecodedOperation*>)&Link;
            chain[Links].Handler = (nint)(delegate*<ProcessorCore?, VcpuState*, DecodedOperation*, DecodedOperation*>)&End;
            nuint start = (nuint)(&chain);
            Link(null, state, chain);
            return start - _stack < 8 * Links;
        }
        finally
        {
            NativeMemory.Free(chain);
            NativeMemory.Free(state);
        }
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* Link(ProcessorCore? cpu, VcpuState* s, DecodedOperation* op)
    {
        s->InstructionsRetired++;
        // Handlers end in direct calls, too. Under Wine, where code lies low in the address space, the compiler was seen to give up on a
        // method that does, and to make it again without optimisation: then none of its calls is a jump.
        if (s->InstructionsRetired > Links)
            return End(cpu, s, op);
        return ((delegate*<ProcessorCore?, VcpuState*, DecodedOperation*, DecodedOperation*>)op[1].Handler)(cpu, s, op + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedOperation* End(ProcessorCore? cpu, VcpuState* s, DecodedOperation* op)
    {
        int marker = 0;
        _stack = (nuint)(&marker);
        return null;
    }
}
