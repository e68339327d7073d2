using BenchmarkDotNet.Attributes;
using Vmm.WindowsHypervisor;

namespace Vmm.Benchmarks;

/// <summary>
/// Our own cost of one exit of the Windows backend: function table, backend, run loop and bus, over a platform that does nothing.
/// </summary>
[MemoryDiagnoser]
public class WindowsHypervisorExitBenchmarks
{
    private const int Accesses = 10_000;

    private IPartition _partition = null!;
    private VirtualProcessorLoop _loop = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _partition = new WindowsHypervisorBackend(NothingPlatform.Table(), null).CreatePartition(new PartitionOptions());
        PortBus ports = new();
        ports.Register(0x80, 1, new Latch());
        _loop = new VirtualProcessorLoop(_partition.Processors[0], ports, new MmioBus());
    }

    [GlobalCleanup]
    public void Free() => _partition.Dispose();

    [Benchmark(OperationsPerInvoke = Accesses)]
    public void PortWrite() => Loop(writes: true);

    [Benchmark(OperationsPerInvoke = Accesses)]
    public void PortRead() => Loop(writes: false);

    private void Loop(bool writes)
    {
        NothingPlatform.Arm(Accesses, writes);
        VpExit exit = _loop.Run();
        if (exit.Kind != ExitKind.Hypercall)
            throw new InvalidOperationException($"The run ended in {exit}.");
    }

    private sealed class Latch : IPortDevice
    {
        private uint _value;

        public uint Read(ushort port, int size) => _value;

        public void Write(ushort port, int size, uint value) => _value = value;
    }
}
