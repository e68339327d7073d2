using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>
/// The signal that makes KVM_RUN come back: one that nobody uses, whose handler is a function of the C library without any effect.
/// </summary>
internal static unsafe class KvmSignal
{
    private const int First = 40, Last = 64;
    private static readonly Lock s_lock = new();
    private static int s_number;

    /// <summary>Its number; taken for the process at the first call.</summary>
    /// <exception cref="HypervisorException">Every signal that could serve is in use.</exception>
    public static int Take()
    {
        lock (s_lock)
            return s_number != 0 ? s_number : s_number = Find();
    }

    // SAFETY: the structures are of this frame; the handler is code of the C library, which is never unloaded, and takes an int as handlers
    // do.
    private static int Find()
    {
        nint handler = NativeLibrary.GetExport(NativeLibrary.Load("libc"), "labs");
        for (int signal = Last; signal >= First; signal--)
        {
            SignalDisposition now = default;
            if (Libc.SignalAction(signal, null, &now) != 0 || now.Handler != 0)
                continue;
            SignalDisposition wanted = new() { Handler = handler, Flags = Libc.RestartCalls };
            if (Libc.SignalAction(signal, &wanted, null) == 0)
                return signal;
        }
        throw new HypervisorException(
            KvmBackend.BackendName, "taking a signal", 0, $"signals {First} to {Last}", "Leave one of them to KVM's virtual processors.");
    }
}
