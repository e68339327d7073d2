using Microsoft.Win32.SafeHandles;

namespace Vmm.Kvm.Interop;

/// <summary>A file descriptor that is closed with its owner.</summary>
internal sealed class KvmFile : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes a descriptor over; -1 for none.</summary>
    public KvmFile(int file)
        : base(true) => SetHandle(file);

    /// <summary>The descriptor, for calls of its owner.</summary>
    public int Number => (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
