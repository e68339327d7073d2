using System.Net;
using Iced.Intel;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Debugging.Tests;

/// <summary>A partition and a run of a client's own, with two processors and a guest in real mode.</summary>
public sealed class SeveralProcessorsTests : IDisposable
{
    private const ushort Code = 0x1000, Data = 0x2000, Apart = 0x1100;

    private readonly IPartition _partition;
    private readonly GuestMemory _memory;
    private readonly GdbServer _server;
    private readonly Thread[] _threads;
    private volatile bool _ended;

    public SeveralProcessorsTests()
    {
        _partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { ProcessorCount = 2 });
        _memory = _partition.AllocateMemory(0x1_0000);
        _partition.Memory.Map(0, _memory, 0, 0x1_0000, GuestAccess.All);
        Assemble(Code, Count);
        Assemble(Apart, Count);
        foreach (IVirtualProcessor processor in _partition.Processors)
        {
            processor.GetState(RegisterGroups.Segments | RegisterGroups.General, out ProcessorState state);
            state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
            state.General.Rip = processor.Index == 0 ? Code : Apart;
            state.General.Rdi = (ulong)(Data + (processor.Index * 4));
            processor.SetState(RegisterGroups.Segments | RegisterGroups.General, in state);
        }
        _server = new GdbServer(_partition);
        EndPoint = _server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _threads = [.. _partition.Processors.Select(processor => new Thread(() => Work(processor)) { IsBackground = true })];
        _server.Begin();
        foreach (Thread thread in _threads)
            thread.Start();
    }

    private IPEndPoint EndPoint { get; }

    public void Dispose()
    {
        _ended = true;
        foreach (IVirtualProcessor processor in _partition.Processors)
            processor.Cancel();
        _server.End();
        foreach (Thread thread in _threads)
            thread.Join();
        _server.Dispose();
        _partition.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public void Processors_are_threads_and_all_stop_where_one_does()
    {
        using GdbClient gdb = new(EndPoint);
        gdb.Ask("qfThreadInfo").Should().Be("m1,2");
        gdb.Ask("qsThreadInfo").Should().Be("l");
        gdb.Ask("T2").Should().Be("OK");
        Text(gdb.Ask("qThreadExtraInfo,2")).Should().Be("processor 1");
        gdb.Ask($"Z1,{Apart + 1:x},1").Should().Be("OK");
        gdb.Ask("vCont;c").Should().Contain("thread:2;");
        gdb.Ask("Hg1").Should().Be("OK");
        string first = gdb.Ask("g");
        Thread.Sleep(20);
        gdb.Ask("g").Should().Be(first, "the other processor stands still as well");
        gdb.Ask("Hg2").Should().Be("OK");
        gdb.Ask("p10").Should().StartWith("0111");
        gdb.Ask("Hg0").Should().Be("OK");
        gdb.Ask("p10").Should().StartWith("0111", "any thread is the one that stopped");
    }

    [Fact]
    public void One_processor_steps_while_the_other_is_held_or_runs()
    {
        using GdbClient gdb = new(EndPoint);
        gdb.Ask("Hg1");
        string before = gdb.Ask("g");
        for (int i = 0; i < 10; i++)
            gdb.Ask("vCont;s:2").Should().Contain("thread:2;");
        gdb.Ask("Hg1");
        gdb.Ask("g").Should().Be(before, "it was held");
        gdb.Ask("Hc2").Should().Be("OK");
        gdb.Ask("s").Should().Contain("thread:2;");
        gdb.Ask("Hg1");
        gdb.Ask("g").Should().Be(before, "it was held");
        gdb.Ask("vCont;s:2;c").Should().Contain("thread:2;");
        gdb.SendPacket("vCont;c:1");
        ulong seen = Count(0);
        SpinWait.SpinUntil(() => Count(0) > seen + 100, 10_000).Should().BeTrue("the first processor runs");
        ulong held = Count(1);
        Thread.Sleep(20);
        Count(1).Should().Be(held);
        gdb.SendRaw("\u0003");
        gdb.Receive().Should().StartWith("T02");
    }

    [Fact]
    public void Watchpoints_see_the_stores_of_both_and_lose_none()
    {
        using GdbClient gdb = new(EndPoint);
        gdb.Ask($"Z2,{Data:x},4").Should().Be("OK");
        gdb.Ask($"Z4,{Data + 4:x},4").Should().Be("OK");
        uint[] expected = [1, 1];
        for (int i = 0; i < 200; i++)
        {
            string reply = gdb.Ask("vCont;c");
            int processor = reply.Contains("thread:2;", StringComparison.Ordinal) ? 1 : 0;
            reply.Should().Contain(processor == 0 ? $"watch:{Data:x};" : $"awatch:{Data + 4:x};");
            // An access watchpoint is hit by the load and store of one INC once.
            string value = gdb.Ask($"m{Data + (processor * 4):x},4");
            BitConverter.ToUInt32(Convert.FromHexString(value)).Should().Be(expected[processor]++);
        }
        gdb.Ask("D").Should().Be("OK");
    }

    private void Assemble(ushort address, Action<Assembler> build)
    {
        Assembler assembler = new(16);
        build(assembler);
        using MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), address);
        _partition.Memory.Write(address, code.ToArray());
    }

    // One byte, then a loop around one store.
    private static void Count(Assembler a)
    {
        Label again = a.CreateLabel();
        a.nop();
        a.Label(ref again);
        a.inc(__dword_ptr[di]);
        a.jmp(again);
    }

    private ulong Count(int processor)
    {
        Span<byte> bytes = stackalloc byte[4];
        _partition.Memory.Read((ulong)(Data + (processor * 4)), bytes);
        return BitConverter.ToUInt32(bytes);
    }

    private void Work(IVirtualProcessor processor)
    {
        VirtualProcessorLoop loop = new(processor, new PortBus(), new MmioBus());
        while (!_ended)
            _server.Run(loop);
    }

    private static string Text(string hex) => System.Text.Encoding.UTF8.GetString(Convert.FromHexString(hex));
}
