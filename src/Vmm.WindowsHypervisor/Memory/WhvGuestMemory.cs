using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Memory;

/// <summary>Guest memory from VirtualAlloc: the platform maps committed pages of the process.</summary>
internal sealed unsafe class WhvGuestMemory : GuestMemory
{
    private const uint Commit = 0x1000, Reserve = 0x2000, Release = 0x8000, ReadWrite = 4;

    private readonly WhvPlatform _platform;

    private WhvGuestMemory(WhvPlatform platform, ulong length)
        : base(length) => _platform = platform;

    /// <summary>Allocates zeroed pages; the length is a multiple of 4096 above 0.</summary>
    public static WhvGuestMemory Allocate(WhvPlatform platform, ulong length)
    {
        WhvGuestMemory memory = new(platform, length);
        // SAFETY: a new range of the process, nothing of which is in use.
        void* address = platform.Api.VirtualAlloc(null, (nuint)length, Commit | Reserve, ReadWrite);
        if (address is null)
        {
            memory.SetHandleAsInvalid();
            throw new HypervisorException(
                WindowsHypervisorBackend.BackendName, "VirtualAlloc", 0, $"0x{length:X} bytes", "The host refused: ask for less memory, or enlarge its page file.");
        }
        memory.SetHandle((nint)address);
        return memory;
    }

    /// <inheritdoc/>
    // SAFETY: the address is the one that VirtualAlloc gave, and nothing is mapped from it any more when the handle is let go.
    protected override bool ReleaseHandle() => _platform.Api.VirtualFree((void*)handle, 0, Release) != 0;
}
