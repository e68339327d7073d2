using System.Runtime.InteropServices;

namespace Vmm.Kvm.Interop;

/// <summary>
/// The C library's functions that the backend calls. Results and error numbers are the system's own; nothing here throws.
/// </summary>
// SAFETY: each declaration has the C prototype of Linux on x86-64; pointers are the caller's to keep alive for the call.
internal static unsafe partial class Libc
{
    public const int OpenReadWrite = 2, OpenCloseOnExec = 0x8_0000;
    public const int ProtectionReadWrite = 3, MapShared = 1;
    public const int EventCloseOnExec = 0x8_0000, EventNonBlocking = 0x800;
    public const int RestartCalls = 0x1000_0000;
    public const nint MapFailed = -1;
    public const short PollIn = 1;
    private const string Library = "libc";
    private const nint GetThreadId = 186, SignalThread = 234;

    [ThreadStatic]
    private static int t_threadId;

    /// <summary>The kernel's number of the calling thread.</summary>
    public static int ThreadId => t_threadId != 0 ? t_threadId : t_threadId = (int)SystemCall(GetThreadId, 0, 0, 0);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(int file, nuint request, nint argument);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(int file, nuint request, void* argument);

    /// <summary>
    /// The same for the run loop: after -1, and before anything else, the error is <see cref="Marshal.GetLastSystemError"/>.
    /// </summary>
    [LibraryImport(Library, EntryPoint = "ioctl")]
    public static partial int ControlRaw(int file, nuint request, nint argument);

    [LibraryImport(Library, EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFile(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int file, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int file, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "sigaction", SetLastError = true)]
    public static partial int SignalAction(int signal, SignalDisposition* action, SignalDisposition* old);

    /// <summary>Sends a signal to one thread of this process.</summary>
    public static int SendSignal(int threadId, int signal) => (int)SystemCall(SignalThread, Environment.ProcessId, threadId, signal);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third);
}
