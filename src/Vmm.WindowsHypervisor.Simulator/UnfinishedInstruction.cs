namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// The platform reports an instruction before anything of it has happened. The contract leaves open what the registers of an unfinished
/// instruction hold, so that only some backends can stand behind the platform: those that leave them as they were.
/// </summary>
internal static class UnfinishedInstruction
{
    private const ulong CodeAddress = 0x1000, DataAddress = 0x1800;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // out dx, al; in al, dx; outsb; mov [0x3000], al, where there is no memory
    private static ReadOnlySpan<byte> Code => [0xEE, 0xEC, 0x6E, 0xA2, 0x00, 0x30];

    private static ReadOnlySpan<byte> Lengths => [1, 1, 1, 3];

    /// <summary>Refuses a backend that has begun to change registers when it reports.</summary>
    /// <exception cref="NotSupportedException">It has; the message says which instruction showed it.</exception>
    public static void RequireUntouched(IHypervisor inner)
    {
        using IPartition partition = inner.CreatePartition(new());
        using GuestMemory memory = partition.AllocateMemory(0x2000);
        memory.Write(CodeAddress, Code);
        partition.Memory.Map(0, memory, 0, memory.Length, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        state.General = new() { Rip = CodeAddress, Rax = 0xAB, Rdx = 0x10, Rsi = DataAddress, Rflags = 2 };
        processor.SetState(RegisterGroups.Segments | RegisterGroups.General, in state);
        using Timer timer = new(static state => ((IVirtualProcessor)state!).Cancel(), processor, s_patience, Timeout.InfiniteTimeSpan);
        foreach (byte length in Lengths)
        {
            processor.GetState(RegisterGroups.General, out ProcessorState before);
            VpExit exit = processor.Run();
            processor.GetState(RegisterGroups.General, out ProcessorState at);
            if (!processor.IsPending || at.General.Rip != before.General.Rip || at.General.Rax != before.General.Rax || at.General.Rsi != before.General.Rsi)
            {
                int offset = (int)(before.General.Rip - CodeAddress);
                throw new NotSupportedException(
                    $"The simulated Windows platform cannot stand on the {inner.Name} backend: the registers have changed already when {Convert.ToHexString(Code.Slice(offset, length))} " +
                    $"exits ({exit}; RIP 0x{before.General.Rip:X} is 0x{at.General.Rip:X}). Put it on the emulator, which leaves an unfinished instruction's registers as they were.");
            }
            if (exit.Kind == ExitKind.PortIo && !exit.PortIo.IsWrite)
                processor.CompleteRead(0xAB);
            processor.CompletePending(out _);
        }
    }
}
