using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>Errors of the system as exceptions with the name of the error, what it was about and what to do.</summary>
internal static class KvmFailure
{
    /// <summary>Names of calls with errors of their own.</summary>
    public const string CreateMachine = "KVM_CREATE_VM", SetMemory = "KVM_SET_USER_MEMORY_REGION", SetCpuid = "KVM_SET_CPUID2",
        SetTscFrequency = "KVM_SET_TSC_KHZ";

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
        string? hint = (operation, error) switch
        {
            (CreateMachine, Errno.Busy) => VirtualizationTaken,
            (SetMemory, Errno.Exists) =>
                "The kernel keeps 0xFEFFC000 to 0xFEFFFFFF for itself where processors cannot run real mode natively: map elsewhere.",
            (SetCpuid, _) => "The kernel does not take this CPU profile: choose one that the backend lists, or leave out what its last change added.",
            (SetTscFrequency, _) => "The processor cannot count at this frequency: give the CPU profile the host's (WithClocks).",
            _ => Hint(error),
        };
        return new HypervisorException(KvmBackend.BackendName, $"{operation} ({Errno.Name(error)})", error, subject, hint);
    }

    /// <summary>What to do where another hypervisor has the processors.</summary>
    public const string VirtualizationTaken = "Another hypervisor, VirtualBox or VMware say, has the processors' virtualization: end it.";

    private static string? Hint(int error) => error switch
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
}
