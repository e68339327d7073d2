namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>DR7 enables at least one instruction breakpoint: the dispatcher must look whether one is hit before an instruction.</summary>
    public bool HasCodeBreakpoints { get; private set; }

    /// <summary>DR7 enables at least one data or I/O breakpoint.</summary>
    public bool HasDataBreakpoints { get; private set; }

    /// <summary>Recomputes what DR7 enables. Must follow every change of DR7 or CR4.DE that does not go through an instruction.</summary>
    public void UpdateBreakpoints()
    {
        bool code = false, data = false;
        uint control = (uint)State->Debug[7];
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) == 0)
                continue;
            if (((control >> (16 + (4 * i))) & 3) == 0)
                code = true;
            else
                data = true;
        }
        HasCodeBreakpoints = code;
        HasDataBreakpoints = data;
    }
}
