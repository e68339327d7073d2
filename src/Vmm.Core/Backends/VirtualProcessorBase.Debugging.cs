using System.Numerics;

namespace Vmm;

public abstract partial class VirtualProcessorBase
{
    private DebugControl _debugging = DebugControl.None;

    /// <inheritdoc/>
    public DebugControl Debugging
    {
        get => Volatile.Read(ref _debugging);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Check(value);
            BeginAtRest("debug");
            try
            {
                if (!ReferenceEquals(value, _debugging))
                    SetDebuggingCore(value);
                Volatile.Write(ref _debugging, value);
            }
            finally
            {
                EndAtRest();
            }
        }
    }

    /// <summary>Takes what the host's debugger asks for from now on; checked, and called only where the capabilities it needs are declared.</summary>
    protected virtual void SetDebuggingCore(DebugControl control)
    {
    }

    private void Check(DebugControl control)
    {
        HypervisorCapabilities capabilities = _partition.Capabilities;
        if (control.Points.IsDefault)
            throw new ArgumentException("The points are no list: leave them out for none.", nameof(Debugging));
        if (control.SingleStep)
            capabilities.Require(Capability.SingleStep);
        foreach (DebugPoint point in control.Points)
        {
            capabilities.Require(point.Kind == DebugPointKind.Execute ? Capability.Breakpoints : Capability.Watchpoints);
            if (!Enum.IsDefined(point.Kind))
                throw new ArgumentException($"{point} has an unknown kind.", nameof(Debugging));
            if (point.Kind == DebugPointKind.Execute ? point.Length != 1 : point.Length is < 1 or > 8 || !BitOperations.IsPow2(point.Length))
                throw new ArgumentException($"{point}: a breakpoint has one byte, a watchpoint 1, 2, 4 or 8.", nameof(Debugging));
            if ((point.Address & (ulong)(point.Length - 1)) != 0)
                throw new ArgumentException($"{point}: its address is no multiple of its length.", nameof(Debugging));
        }
        if (control.Points.Length > capabilities.DebugPointLimit)
        {
            throw new ArgumentException(
                $"The {capabilities.Backend} backend has room for {capabilities.DebugPointLimit} breakpoints and watchpoints, not for {control.Points.Length}.", nameof(Debugging));
        }
    }
}
