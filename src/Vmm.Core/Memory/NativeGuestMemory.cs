using System.Runtime.InteropServices;

namespace Vmm;

/// <summary>
/// Guest memory from the host's virtual memory: zeroed, page-aligned, and backed by physical pages only once they are touched.
/// </summary>
public sealed class NativeGuestMemory : GuestMemory
{
    /// <summary>Page size that lengths and offsets are multiples of.</summary>
    public const ulong PageSize = 4096;

    /// <summary>Longest block: what a 47-bit host address space can hold at best.</summary>
    private const ulong MaximumLength = 1UL << 46;

    private NativeGuestMemory(ulong length)
        : base(length)
    {
    }

    /// <summary>Whether the host was asked for large pages and agreed to try.</summary>
    public bool LargePagesAdvised { get; private set; }

    /// <summary>Allocates a block.</summary>
    /// <param name="length">Bytes; a multiple of 4096, above 0.</param>
    /// <param name="options">Large pages and the like.</param>
    /// <param name="backend">Backend name, for messages.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is zero or not page-aligned.</exception>
    /// <exception cref="HypervisorException">The host has no such memory.</exception>
    public static NativeGuestMemory Allocate(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None, string backend = "host")
    {
        ArgumentOutOfRangeException.ThrowIfZero(length);
        if (length % PageSize != 0)
            throw new ArgumentOutOfRangeException(nameof(length), $"0x{length:X} is not a multiple of {PageSize}.");
        if ((options & ~GuestMemoryOptions.PreferLargePages) != 0)
            throw new ArgumentOutOfRangeException(nameof(options), options, "Unknown option.");
        if (length > MaximumLength || length > (ulong)nint.MaxValue)
        {
            throw new HypervisorException(
                backend, "allocating guest memory", 0, $"0x{length:X} bytes", "No host address space is that large: ask for less memory.");
        }

        NativeGuestMemory memory = new(length);
        bool large = (options & GuestMemoryOptions.PreferLargePages) != 0;
        nint address = HostPages.Allocate((nuint)length, large, out bool advised, out int error);
        if (address == 0)
        {
            memory.SetHandleAsInvalid();
            throw new HypervisorException(
                backend,
                "allocating guest memory",
                error,
                $"0x{length:X} bytes",
                $"The host refused ({Marshal.GetPInvokeErrorMessage(error)}): ask for less memory, or raise the host's limit on address space or commitment.");
        }
        memory.SetHandle(address);
        memory.LargePagesAdvised = advised;
        return memory;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => HostPages.Free(handle, (nuint)Length);
}
