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

    /// <summary>
    /// Takes what the host's debugger asks for from now on; checked, and called only where the capabilities it needs are declared.
    /// </summary>
    protected virtual void SetDebuggingCore(DebugControl control)
    {
    }

    private void Check(DebugControl value)
    {
        HypervisorCapabilities capabilities = _partition.Capabilities;
        if (value.Points.IsDefault)
            throw new ArgumentException("The points are no list: leave them out for none.", nameof(value));
        if (value.SingleStep)
            capabilities.Require(Capability.SingleStep);
        foreach (DebugPoint point in value.Points)
        {
            capabilities.Require(point.Kind == DebugPointKind.Execute ? Capability.Breakpoints : Capability.Watchpoints);
            if (!Enum.IsDefined(point.Kind))
                throw new ArgumentException($"{point} has an unknown kind.", nameof(value));
            if (point.Kind == DebugPointKind.Execute ? point.Length != 1 : point.Length is < 1 or > 8 || !BitOperations.IsPow2(point.Length))
                throw new ArgumentException($"{point}: a breakpoint has one byte, a watchpoint 1, 2, 4 or 8.", nameof(value));
            if ((point.Address & (ulong)(point.Length - 1)) != 0)
                throw new ArgumentException($"{point}: its address is no multiple of its length.", nameof(value));
        }
        if (value.Points.Length > capabilities.DebugPointLimit)
        {
            throw new ArgumentException(
                $"The {capabilities.Backend} backend has room for {capabilities.DebugPointLimit} breakpoints and watchpoints, not for {value.Points.Length}.", nameof(value));
        }
    }
}
