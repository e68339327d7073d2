using Vmm.Testing;

namespace Vmm.Machines.Tests;

/// <summary>
/// The scripted backend as one that has local APICs: it shows that capability, and its processors wait inside where their script says so.
/// </summary>
internal sealed class WaitingHypervisor : IHypervisor
{
    private readonly ScriptedHypervisor _inner = new();

    public WaitingHypervisor() => Capabilities =
        new HypervisorCapabilities("waiting", [.. _inner.Capabilities.Declared, Capability.LocalApic]) { MaximumProcessors = 4 };

    public string Name => "waiting";

    public HypervisorCapabilities Capabilities { get; }

    public IPartition CreatePartition(PartitionOptions options) =>
        new WaitingPartition(_inner.Create(options with { LocalApic = LocalApicMode.None }), options, Capabilities);

    private sealed class WaitingPartition(
        ScriptedPartition inner, PartitionOptions options, HypervisorCapabilities capabilities) : IPartition
    {
        public PartitionOptions Options => options;

        public HypervisorCapabilities Capabilities => capabilities;

        public ISecondLevelAddressTranslation Memory => inner.Memory;

        public IReadOnlyList<IVirtualProcessor> Processors => inner.Processors;

        public IExternalInterruptSource? ExternalInterruptSource
        {
            get => inner.ExternalInterruptSource;
            set => inner.ExternalInterruptSource = value;
        }

        public GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options) => inner.AllocateMemory(length, options);

        public void NotifyExternalInterrupt() => inner.NotifyExternalInterrupt();

        public void RequestInterrupt(in InterruptRequest request) => inner.RequestInterrupt(in request);

        public void Pause() => inner.Pause();

        public void Resume() => inner.Resume();

        public void Reset(bool keepMemory) => inner.Reset(keepMemory);

        public void SuspendTime() => inner.SuspendTime();

        public void ResumeTime() => inner.ResumeTime();

        public void Dispose() => inner.Dispose();
    }
}
