global using unsafe Handler = delegate*<
    Vmm.X86.Execution.ProcessorCore,
    Vmm.X86.Execution.VcpuState*,
    Vmm.X86.Execution.DecodedOperation*,
    Vmm.X86.Execution.DecodedOperation*>;
