using System.Collections.Immutable;

namespace Vmm;

/// <summary>
/// What the host's debugger asks of one processor. The guest sees nothing of it: neither in its memory nor in its own debug registers and
/// flags. Immutable.
/// </summary>
public sealed record DebugControl
{
    /// <summary>Nothing is asked for.</summary>
    public static DebugControl None { get; } = new();

    /// <summary>
    /// <see cref="IVirtualProcessor.Run"/> returns <see cref="ExitKind.Debug"/> after one instruction, or part of a repeated string
    /// instruction, or after the delivery of the exception it raised. Needs <see cref="Capability.SingleStep"/>.
    /// </summary>
    /// <remarks>
    /// The instruction at RIP runs even where a breakpoint stands on it. Interrupts wait meanwhile, unless the processor is halted: then
    /// the step ends at the first instruction of the handler that an interrupt led to. An exit of the instruction comes first; the run that
    /// finishes it ends the step.
    /// </remarks>
    public bool SingleStep { get; init; }

    /// <summary>Breakpoints and watchpoints, at most <see cref="HypervisorCapabilities.DebugPointLimit"/>.</summary>
    public ImmutableArray<DebugPoint> Points { get; init; } = [];
}
