namespace Vmm.Kvm.Interop;

/// <summary>Error numbers of Linux on x86-64 that KVM gives.</summary>
internal static class Errno
{
    public const int NotPermitted = 1, NoEntry = 2, Interrupted = 4, InputOutput = 5, NoDeviceOrAddress = 6, TooBig = 7, BadFile = 9,
        Again = 11, NoMemory = 12,
        AccessDenied = 13, Fault = 14, Busy = 16, Exists = 17, NoDevice = 19, Invalid = 22, TooManyFilesOfSystem = 23, TooManyFiles = 24,
        NotTerminal = 25,
        NoSpace = 28, Range = 34, NoSystemCall = 38, NotSupported = 95;

    /// <summary>The name in errno.h, or the number where it is none of those.</summary>
    public static string Name(int error) => error switch
    {
        NotPermitted => "EPERM",
        NoEntry => "ENOENT",
        Interrupted => "EINTR",
        InputOutput => "EIO",
        NoDeviceOrAddress => "ENXIO",
        TooBig => "E2BIG",
        BadFile => "EBADF",
        Again => "EAGAIN",
        NoMemory => "ENOMEM",
        AccessDenied => "EACCES",
        Fault => "EFAULT",
        Busy => "EBUSY",
        Exists => "EEXIST",
        NoDevice => "ENODEV",
        Invalid => "EINVAL",
        TooManyFilesOfSystem => "ENFILE",
        TooManyFiles => "EMFILE",
        NotTerminal => "ENOTTY",
        NoSpace => "ENOSPC",
        Range => "ERANGE",
        NoSystemCall => "ENOSYS",
        NotSupported => "EOPNOTSUPP",
        _ => $"errno {error}",
    };
}
