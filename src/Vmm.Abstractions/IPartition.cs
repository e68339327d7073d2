namespace Vmm;

/// <summary>One virtual machine: an address space and its processors.</summary>
/// <remarks>
/// Members may be called from any thread. <see cref="IDisposable.Dispose"/> stops running processors, waits until they have left guest
/// code, then frees; called from a handler on a processor's own thread it does not wait for that processor. Disposing twice is harmless.
/// </remarks>
public interface IPartition : IDisposable
{
    /// <summary>The options the partition was created with.</summary>
    PartitionOptions Options { get; }

    /// <summary>The backend's capabilities.</summary>
    HypervisorCapabilities Capabilities { get; }

    /// <summary>
    /// What the guest really sees of its processors: the profile of the options, or the backend's default one, with whatever the host adds,
    /// cannot hide, or has of its own, such as its clocks. Null where the backend does not say. Saved state is checked against it.
    /// </summary>
    CpuProfile? CpuProfile => Options.CpuProfile;

    /// <summary>The guest-physical address space.</summary>
    ISecondLevelAddressTranslation Memory { get; }

    /// <summary>The processors, by index from 0. Index 0 is the bootstrap processor.</summary>
    IReadOnlyList<IVirtualProcessor> Processors { get; }

    /// <summary>Allocates native memory that can be mapped: page-aligned and zeroed.</summary>
    /// <param name="length">Bytes; a multiple of 4096, above 0.</param>
    /// <param name="options">Large pages and the like.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is zero or not page-aligned.</exception>
    /// <exception cref="HypervisorException">The host has no such memory.</exception>
    GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None);

    /// <summary>
    /// The interrupt controller that is asked for a vector when maskable interrupts can be delivered to the bootstrap processor (a PIC);
    /// null for none.
    /// </summary>
    IExternalInterruptSource? ExternalInterruptSource { get; set; }

    /// <summary>
    /// Tells the partition that <see cref="IExternalInterruptSource.Asserted"/> may have changed: a halted processor is woken. Cheap.
    /// </summary>
    void NotifyExternalInterrupt();

    /// <summary>Sends an interrupt message to the local APICs, as an MSI write or an I/O APIC would.</summary>
    /// <exception cref="NotSupportedException">No local APIC in the backend (<see cref="Capability.LocalApic"/>).</exception>
    void RequestInterrupt(in InterruptRequest request);

    /// <summary>
    /// Makes every processor leave guest code and returns when all have. A <see cref="IVirtualProcessor.Run"/> then blocks until
    /// <see cref="Resume"/>. Nests.
    /// </summary>
    void Pause();

    /// <summary>Undoes one <see cref="Pause"/>.</summary>
    /// <exception cref="InvalidOperationException">Not paused.</exception>
    void Resume();

    /// <summary>Puts every processor in the architectural power-on state. No processor may be running.</summary>
    /// <param name="keepMemory">False also zeroes all mapped memory that the guest may write.</param>
    /// <exception cref="InvalidOperationException">A processor is running.</exception>
    void Reset(bool keepMemory);

    /// <summary>Stops the partition's reference time and TSC.</summary>
    /// <exception cref="NotSupportedException"><see cref="Capability.TimeControl"/> is not declared.</exception>
    void SuspendTime();

    /// <summary>Lets time go on where it stopped, once for each <see cref="SuspendTime"/>.</summary>
    /// <exception cref="NotSupportedException"><see cref="Capability.TimeControl"/> is not declared.</exception>
    /// <exception cref="InvalidOperationException">Time is not suspended.</exception>
    void ResumeTime();

    /// <summary>Time that is counted in instructions; null unless <see cref="PartitionOptions.VirtualTime"/> asked for it.</summary>
    IVirtualTime? VirtualTime => null;
}
