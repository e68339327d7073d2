using Microsoft.Extensions.Logging;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>What a <see cref="Machine"/> is made of.</summary>
public sealed record MachineOptions
{
    /// <summary>What it starts from. With <see cref="Firmware"/>: a Linux kernel that the firmware can boot, or null.</summary>
    public BootImage? Image { get; init; }

    /// <summary>The ROM in which its processors start, as in a PC; null = it starts from <see cref="Image"/>.</summary>
    public FirmwareImage? Firmware { get; init; }

    /// <summary>Bytes of RAM: a multiple of 4096 from 1 MiB to 1 TiB.</summary>
    public ulong MemorySize { get; init; } = 256ul << 20;

    /// <summary>Number of processors. More than one needs <see cref="Capability.LocalApic"/>.</summary>
    public int ProcessorCount { get; init; } = 1;

    /// <summary>What CPUID shows; null = the backend's default profile.</summary>
    public CpuProfile? CpuProfile { get; init; }

    /// <summary>Format of the nested page tables; null = the backend's default.</summary>
    public SlatFormat? SlatFormat { get; init; }

    /// <summary>Local APICs; null = in xAPIC mode where the backend has them, else none.</summary>
    public LocalApicMode? LocalApic { get; init; }

    /// <summary>
    /// Called with what the guest sends to its first serial port, on the sending processor's thread; null = it is dropped.
    /// </summary>
    public SerialOutput? SerialOutput { get; init; }

    /// <summary>
    /// Whether the host may send to the serial port (<see cref="Machine.ReceiveAsync"/>). If not, a halted guest that no timer or other
    /// host event can wake ends the run (<see cref="MachineOutcomeKind.AllHalted"/>), even when it waits for input.
    /// </summary>
    public bool HasSerialInput { get; init; }

    /// <summary>
    /// Whether the host may interrupt the guest in other ways: by devices of the client's own, the power button, injected events. As with
    /// <see cref="HasSerialInput"/>, a guest that waits with interrupts on then does not end the run.
    /// </summary>
    public bool HasHostEvents { get; init; }

    /// <summary>The port of a debug-exit device; null = there is none.</summary>
    public ushort? DebugExitPort { get; init; }

    /// <summary>Disks and other virtio devices.</summary>
    public VirtioOptions Virtio { get; init; } = new();

    /// <summary>
    /// Whether the guest is told of its hardware by ACPI and MultiProcessor tables, and can switch itself off. Several processors, and the
    /// I/O APIC, are found by these tables alone.
    /// </summary>
    public bool HasAcpi { get; init; } = true;

    /// <summary>
    /// Adds more devices: to the machine's buses, and to <see cref="Machine.Saveable"/> what they are to be saved with. Called while a
    /// machine is built, before anything is loaded into it or restored. What it throws comes out of the constructor. Null = there are none.
    /// </summary>
    public Action<Machine>? AddDevices { get; init; }

    /// <summary>Writes ACPI objects for more devices into the scope \_SB; null = there are none.</summary>
    public Action<AmlWriter>? DescribeDevices { get; init; }

    /// <summary>
    /// Runs that repeat exactly; null = none. Needs <see cref="Capability.VirtualTime"/>, and no <see cref="Clock"/> beside it. Processors
    /// take turns on one thread, and time is counted in instructions.
    /// </summary>
    public DeterministicOptions? Deterministic { get; init; }

    /// <summary>The devices' clock, not disposed by the machine; null = the host's time.</summary>
    public IMachineClock? Clock { get; init; }

    /// <summary>Where the machine logs; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
