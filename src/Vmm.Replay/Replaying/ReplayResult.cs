namespace Vmm.Replay;

/// <summary>How a replay ended.</summary>
/// <param name="Operations">Operations repeated.</param>
/// <param name="Time">Counted time at its end, in nanoseconds.</param>
/// <param name="Divergence">Where the guest did other than recorded; null = nowhere.</param>
/// <param name="IsCancelled">It was ended before the recording was; it may go on.</param>
public sealed record ReplayResult(long Operations, ulong Time, ReplayDivergence? Divergence, bool IsCancelled);
