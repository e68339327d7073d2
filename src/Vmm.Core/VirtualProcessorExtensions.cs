namespace Vmm;

/// <summary>Shorthands for clients of <see cref="IVirtualProcessor"/>.</summary>
public static class VirtualProcessorExtensions
{
    private const ulong RealModeCr0 = 0x10, ProtectedModeCr0 = 0x11;

    // PG, ET, MP, PE; OSXMMEXCPT, OSFXSR, PAE; LMA, LME.
    private const ulong LongModeCr0 = 0x8000_0013, LongModeCr4 = 0x620, LongModeEfer = 0x500;

    /// <summary>Puts the processor in real mode with all segments at base 0, at an address below 64 KiB; other registers stay.</summary>
    /// <param name="processor">The processor, at rest.</param>
    /// <param name="address">IP; the address too, since CS is 0.</param>
    /// <param name="stack">SP; 0 leaves the stack at the top of the first 64 KiB.</param>
    public static void StartInRealMode(this IVirtualProcessor processor, ushort address, ushort stack = 0) =>
        Start(processor, address, stack, new ControlRegisters { Cr0 = RealModeCr0 }, SegmentDescriptor.RealModeCode(0), SegmentDescriptor.RealModeData(0));

    /// <summary>
    /// Puts the processor in 32-bit protected mode without paging, with flat segments, at privilege level 0; other registers stay.
    /// </summary>
    /// <param name="processor">The processor, at rest.</param>
    /// <param name="address">EIP.</param>
    /// <param name="stack">ESP.</param>
    /// <remarks>
    /// The hidden parts of the segment registers are set, no descriptor table is: the guest must load its own before it loads a segment
    /// register.
    /// </remarks>
    public static void StartInProtectedMode(this IVirtualProcessor processor, uint address, uint stack = 0) =>
        Start(processor, address, stack, new ControlRegisters { Cr0 = ProtectedModeCr0 }, SegmentDescriptor.FlatCode32(8), SegmentDescriptor.FlatData(16));

    /// <summary>
    /// Puts the processor in 64-bit mode with four-level paging, at privilege level 0, with SSE switched on; other registers stay.
    /// </summary>
    /// <param name="processor">The processor, at rest.</param>
    /// <param name="address">RIP, a linear address.</param>
    /// <param name="pageTables">CR3: guest-physical address of the PML4 table, page-aligned.</param>
    /// <param name="stack">RSP, a linear address.</param>
    /// <remarks>
    /// The page tables are the caller's to write before the processor runs; their no-execute bits are reserved, because EFER.NXE stays
    /// clear. The hidden parts of the segment registers are set, no descriptor table is: the guest must load its own before it loads a
    /// segment register.
    /// </remarks>
    public static void StartInLongMode(this IVirtualProcessor processor, ulong address, ulong pageTables, ulong stack = 0) =>
        Start(
            processor, address, stack, new ControlRegisters { Cr0 = LongModeCr0, Cr3 = pageTables, Cr4 = LongModeCr4, Efer = LongModeEfer },
            SegmentDescriptor.Code64(8), SegmentDescriptor.FlatData(16));

    /// <summary>
    /// Runs until an exit, or until a token is cancelled: then <see cref="ExitKind.Cancelled"/> is returned; nothing is thrown.
    /// </summary>
    /// <param name="processor">The processor.</param>
    /// <param name="cancellationToken">Cancels the run from any thread.</param>
    public static VpExit Run(this IVirtualProcessor processor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(processor);
        VpExit exit;
        using (cancellationToken.UnsafeRegister(static p => ((IVirtualProcessor)p!).Cancel(), processor))
            exit = processor.Run();
        // A request that came too late for this run must not end the next one.
        if (cancellationToken.IsCancellationRequested && exit.Kind != ExitKind.Cancelled)
            processor.WithdrawCancel();
        return exit;
    }

    private static void Start(IVirtualProcessor processor, ulong address, ulong stack, ControlRegisters control, SegmentDescriptor code, SegmentDescriptor data)
    {
        ArgumentNullException.ThrowIfNull(processor);
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        state.General.Rip = address;
        state.General.Rsp = stack;
        state.General.Rflags = 2;
        state.Segments.Cs = code;
        state.Segments.Ds = state.Segments.Es = state.Segments.Ss = state.Segments.Fs = state.Segments.Gs = data;
        state.Control.Cr0 = control.Cr0;
        state.Control.Cr4 = control.Cr4;
        state.Control.Efer = control.Efer;
        if ((control.Efer & LongModeEfer) != 0)
            state.Control.Cr3 = control.Cr3;
        processor.SetState(RegisterGroups.Registers, in state);
    }
}
