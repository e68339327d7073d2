namespace Vmm.Machines;

/// <summary>The state in which a loaded image's first vCPU starts; what is not named here keeps its value after reset.</summary>
public sealed record EntryState
{
    /// <summary>The instruction pointer (an offset in CS in real mode).</summary>
    public required ulong Rip { get; init; }

    /// <summary>RAX.</summary>
    public ulong Rax { get; init; }

    /// <summary>RBX.</summary>
    public ulong Rbx { get; init; }

    /// <summary>RSI.</summary>
    public ulong Rsi { get; init; }

    /// <summary>RSP.</summary>
    public ulong Rsp { get; init; }

    /// <summary>RFLAGS: only the bit that is always set, so interrupts are off.</summary>
    public ulong Rflags { get; init; } = 2;

    /// <summary>CR0.</summary>
    public required ulong Cr0 { get; init; }

    /// <summary>CR3: the root of the page tables, if paging is on.</summary>
    public ulong Cr3 { get; init; }

    /// <summary>CR4.</summary>
    public ulong Cr4 { get; init; }

    /// <summary>The EFER register.</summary>
    public ulong Efer { get; init; }

    /// <summary>CS.</summary>
    public required SegmentDescriptor Code { get; init; }

    /// <summary>DS, ES, FS, GS and SS.</summary>
    public required SegmentDescriptor Data { get; init; }

    /// <summary>TR.</summary>
    public required SegmentDescriptor Task { get; init; }

    /// <summary>The address of the descriptor table.</summary>
    public ulong GdtBase { get; init; }

    /// <summary>The limit of the descriptor table.</summary>
    public ushort GdtLimit { get; init; }

    /// <summary>Puts a processor, at rest and as after reset, into this state.</summary>
    /// <param name="processor">The processor.</param>
    public void ApplyTo(IVirtualProcessor processor)
    {
        const RegisterGroups Groups = RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control;

        ArgumentNullException.ThrowIfNull(processor);
        processor.GetState(Groups, out ProcessorState state);
        state.General = new GeneralRegisters { Rip = Rip, Rax = Rax, Rbx = Rbx, Rsi = Rsi, Rsp = Rsp, Rflags = Rflags };
        state.Segments.Cs = Code;
        state.Segments.Ds = state.Segments.Es = state.Segments.Fs = state.Segments.Gs = state.Segments.Ss = Data;
        state.Segments.Tr = Task;
        state.Segments.Gdtr = new TableDescriptor(GdtBase, GdtLimit);
        state.Control.Cr0 = Cr0;
        state.Control.Cr3 = Cr3;
        state.Control.Cr4 = Cr4;
        state.Control.Efer = Efer;
        processor.SetState(Groups, in state);
    }
}
