using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>Errors of the system as exceptions with the name of the error, what it was about and what to do.</summary>
internal static class KvmFailure
{
    /// <summary>Throws where a call gave -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Check(int result, string operation, string? subject = null) =>
        result >= 0 ? result : throw Last(operation, subject);

    /// <summary>The exception for the error of the last call of this thread.</summary>
    public static HypervisorException Last(string operation, string? subject = null) =>
        Of(Marshal.GetLastPInvokeError(), operation, subject);

    /// <summary>The exception for an error.</summary>
    public static HypervisorException Of(int error, string operation, string? subject = null)
    {
        string? hint = error switch
        {
            Errno.NoMemory =>
                "The host has not enough memory, or its limit on locked memory is reached: give the guest less, or free some.",
            Errno.TooManyFiles => "The process has too many open files: raise its limit (ulimit -n), or dispose what is not used.",
            Errno.TooManyFilesOfSystem => "The host has too many open files: raise fs.file-max.",
            Errno.NotPermitted or Errno.AccessDenied =>
                "The host's policy forbids it: see the permissions of /dev/kvm and the container's or service's restrictions.",
            Errno.NotTerminal or Errno.NoSystemCall => "The kernel is too old for it: update it.",
            Errno.InputOutput => "The virtual machine is broken inside the kernel or belongs to another process: dispose it; see dmesg.",
            _ => null,
        };
        return new HypervisorException(KvmBackend.BackendName, $"{operation} ({Errno.Name(error)})", error, subject, hint);
    }
}
