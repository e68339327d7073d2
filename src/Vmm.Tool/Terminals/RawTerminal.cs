using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Vmm.Tool.Terminals;

/// <summary>A terminal whose keys, Ctrl-C included, go to the guest as they are typed. Disposing gives the terminal back.</summary>
internal abstract class RawTerminal : IDisposable
{
    /// <summary>Takes the terminal over; null where that is not possible (then lines are read as the terminal gives them).</summary>
    public static RawTerminal? TryEnter()
    {
        if (OperatingSystem.IsWindows())
            return WindowsRawTerminal.TryEnter();
        return OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? UnixRawTerminal.TryEnter() : null;
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>termios.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class UnixRawTerminal : RawTerminal
{
    private readonly byte[] _before;
    private readonly PosixSignalRegistration _terminate;

    private UnixRawTerminal(byte[] before)
    {
        _before = before;
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Restore());
    }

    public static new UnixRawTerminal? TryEnter()
    {
        // struct termios is 60 bytes on Linux and 72 on macOS; the calls alone know its inside.
        byte[] before = new byte[256], raw = new byte[256];
        if (GetAttributes(0, before) != 0)
            return null;
        before.CopyTo(raw, 0);
        MakeRaw(raw);
        return SetAttributes(0, 0, raw) == 0 ? new UnixRawTerminal(before) : null;
    }

    public override void Dispose()
    {
        _terminate.Dispose();
        Restore();
    }

    private void Restore() => _ = SetAttributes(0, 0, _before);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, [Out] byte[] termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, byte[] termios);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw([In, Out] byte[] termios);
}

/// <summary>Console modes.</summary>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsRawTerminal : RawTerminal
{
    private const uint ProcessedInput = 1, LineInput = 2, EchoInput = 4, VirtualTerminalInput = 0x200;
    private const int StandardInput = -10;
    private readonly nint _handle;
    private readonly uint _before;

    private WindowsRawTerminal(nint handle, uint before)
    {
        _handle = handle;
        _before = before;
    }

    public static new WindowsRawTerminal? TryEnter()
    {
        nint handle = GetStdHandle(StandardInput);
        if (!GetConsoleMode(handle, out uint before))
            return null;
        uint raw = (before & ~(ProcessedInput | LineInput | EchoInput)) | VirtualTerminalInput;
        return SetConsoleMode(handle, raw) ? new WindowsRawTerminal(handle, before) : null;
    }

    public override void Dispose() => _ = SetConsoleMode(_handle, _before);

    [LibraryImport("kernel32")]
    private static partial nint GetStdHandle(int which);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetConsoleMode(nint handle, out uint mode);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetConsoleMode(nint handle, uint mode);
}
