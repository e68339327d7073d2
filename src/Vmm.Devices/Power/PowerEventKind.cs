namespace Vmm.Devices;

/// <summary>How a guest, or the host in its place, ends a machine's run.</summary>
public enum PowerEventKind
{
    /// <summary>The processors are to be reset: keyboard controller, port 0x92 or port 0xCF9.</summary>
    Reset,

    /// <summary>The power is to be switched off.</summary>
    PowerOff,

    /// <summary>The guest wrote a value to the debug-exit port.</summary>
    DebugExit,
}
