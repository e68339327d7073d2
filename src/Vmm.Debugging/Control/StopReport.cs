namespace Vmm.Debugging.Control;

/// <summary>Why the guest stands still.</summary>
/// <param name="Processor">The processor that it is about.</param>
/// <param name="Signal">The protocol's number of a signal.</param>
/// <param name="Access">What was hit; <see cref="GuestAccess.None"/> for nothing.</param>
/// <param name="Address">Where.</param>
internal sealed record StopReport(int Processor, int Signal, GuestAccess Access = GuestAccess.None, ulong Address = 0)
{
    public const int Interrupt = 2, Trap = 5, Abort = 6, SegmentViolation = 11;

    /// <summary>What an exit means to a debugger.</summary>
    public static StopReport Of(int processor, in VpExit exit) => exit.Kind switch
    {
        ExitKind.Debug => new StopReport(processor, Trap, exit.Debug.Access, exit.Debug.Address),
        ExitKind.SlatViolation => new StopReport(processor, SegmentViolation),
        _ => new StopReport(processor, Abort),
    };
}
