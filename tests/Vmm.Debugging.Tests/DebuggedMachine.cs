using System.Net;
using Iced.Intel;
using Vmm.Emulator;
using Vmm.Machines;

namespace Vmm.Debugging.Tests;

/// <summary>A machine with a 64-bit guest at 2 MiB, and a stub that listens.</summary>
internal sealed class DebuggedMachine : IDisposable
{
    public const uint Code = 0x20_0000, Data = 0x30_0000;
    public const ushort ExitPort = 0xF4;

    private readonly CancellationTokenSource _end = new(TimeSpan.FromSeconds(60));
    private readonly Task<MachineOutcome> _run;

    public DebuggedMachine(Action<Assembler> build, bool stopsAtStart = true, IHypervisor? hypervisor = null)
    {
        Assembler assembler = new(64);
        build(assembler);
        using MemoryStream code = new();
        assembler.Assemble(new StreamCodeWriter(code), Code);
        byte[] image = Images.Elf(true, Code, [(Code, Code, code.ToArray(), 0x1000)]);
        Machine = new Machine(hypervisor ?? new EmulatorHypervisor(), new MachineOptions
        {
            Image = new ElfImage(image), MemorySize = 16 << 20, DebugExitPort = ExitPort, CpuProfile = CpuProfiles.V3,
        });
        Server = new GdbServer(Machine.Partition, new GdbServerOptions
        {
            StopsAtStart = stopsAtStart,
            Stopped = Machine.SuspendTime,
            Resumed = Machine.ResumeTime,
            Killed = () =>
            {
                IsKilled = true;
                _end.Cancel();
            },
        });
        Machine.Controller = Server;
        EndPoint = Server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _run = Task.Run(Run);
    }

    public Machine Machine { get; }

    public GdbServer Server { get; }

    public IPEndPoint EndPoint { get; }

    public bool IsKilled { get; private set; }

    /// <summary>How the run ended.</summary>
    public MachineOutcome Outcome => _run.WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();

    public bool HasEnded => _run.IsCompleted;

    public GdbClient Connect() => new(EndPoint);

    public void Dispose()
    {
        _end.Cancel();
        _run.Wait();
        Server.Dispose();
        Machine.Dispose();
        _end.Dispose();
    }

    private async Task<MachineOutcome> Run()
    {
        MachineOutcome outcome = await Machine.RunAsync(_end.Token);
        Server.NotifyExited((int)outcome.Value);
        return outcome;
    }
}
