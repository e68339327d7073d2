using Vmm;

namespace AcmeBackend;

/// <summary>A virtual processor: running it, and finishing what it exits with.</summary>
internal sealed partial class AcmeWordProcessor(AcmeWordPartition partition, int index) : VirtualProcessorBase(partition, index)
{
    private readonly IVirtualProcessor _platform = partition.Platform.Processors[index];

    // Nothing runs yet, so there is nothing to ask out.
    protected override void RequestExitCore()
    {
    }

    protected override void RunCore(out VpExit exit) => throw Unfinished.Step(4, "running guest code");

    protected override bool CompletePendingCore(out VpExit exit) => throw Unfinished.Step(4, "finishing an instruction");

    protected override void CompleteReadCore(in VpExit exit, ulong value) => throw Unfinished.Step(4, "completing a read");

    protected override void CompleteWriteCore(WriteResolution resolution) => throw Unfinished.Step(4, "completing a write");
}
