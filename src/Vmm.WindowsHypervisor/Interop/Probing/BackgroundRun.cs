using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>A run of a processor on a thread of its own, which may never come back.</summary>
// SAFETY: the exit context is freed only by a run that returned: a lost one keeps what the platform may still write to.
internal sealed unsafe class BackgroundRun
{
    private readonly Thread _thread;
    private int _result;
    private WhvRunVpExitReason _reason;

    public BackgroundRun(PlatformProbe probe, nint partition)
    {
        _thread = new Thread(() => Execute(probe, partition)) { IsBackground = true, Name = "probed processor" };
        _thread.Start();
    }

    public bool HasReturned => !_thread.IsAlive;

    public bool Wait(int milliseconds) => _thread.Join(milliseconds);

    /// <summary>What came of it, in words.</summary>
    public string Describe(int milliseconds)
    {
        if (!Wait(milliseconds))
            return $"did not return within {milliseconds} ms";
        return $"returned {(_result < 0 ? PlatformProbe.Show(_result) : $"S_OK, exit {_reason}")}";
    }

    private void Execute(PlatformProbe probe, nint partition)
    {
        WhvRunVpExitContext* exit = (WhvRunVpExitContext*)NativeMemory.AlignedAlloc((nuint)sizeof(WhvRunVpExitContext), 64);
        _result = probe.Api.RunVirtualProcessor(partition, 0, exit, (uint)sizeof(WhvRunVpExitContext));
        _reason = exit->ExitReason;
        NativeMemory.AlignedFree(exit);
    }
}
