using Iced.Intel;
using Vmm.Emulator;

namespace Vmm.Benchmarks;

/// <summary>A 64-bit guest of 64 MiB with 4 KiB pages, at privilege level 0, for measuring.</summary>
internal sealed class BenchmarkGuest : IDisposable
{
    public const ulong Code = 0x8000, Tables = 0x10_0000, Data = 0x40_0000, Size = 64UL << 20, Device = Size + 0x20_0000;

    private readonly GuestMemory _ram;

    public BenchmarkGuest(Action<Assembler> code, SlatFormat format = SlatFormat.Ept, ulong budget = 0)
    {
        Partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { SlatFormat = format, InstructionBudget = budget });
        _ram = Partition.AllocateMemory(Size);
        Partition.Memory.Map(0, _ram, 0, Size, GuestAccess.All);
        WriteTables();
        Assembler assembler = new(64);
        code(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), Code);
        Partition.Memory.Write(Code, stream.ToArray());
        Enter();
    }

    public IPartition Partition { get; }

    public GuestMemory Ram => _ram;

    public IVirtualProcessor Processor => Partition.Processors[0];

    /// <summary>Sets the state that the code begins with.</summary>
    public void Enter()
    {
        Processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        SegmentDescriptor data = SegmentDescriptor.FlatData(0x10);
        state.General = new GeneralRegisters { Rip = Code, Rsp = Data, Rflags = 2, Rbx = Data, Rsi = Data, Rdi = Data + 0x10_0000, Rdx = Device };
        state.Segments = state.Segments with { Cs = SegmentDescriptor.Code64(8), Ss = data, Ds = data, Es = data, Fs = data, Gs = data };
        state.Control = state.Control with { Cr0 = 0x8000_0033, Cr3 = Tables, Cr4 = 0x620, Efer = 0xD00 };
        Processor.SetState(RegisterGroups.Registers, state);
    }

    public void Dispose()
    {
        Partition.Dispose();
        _ram.Dispose();
    }

    private void WriteTables()
    {
        const ulong Leaf = 3;
        Write(Tables, 0, (Tables + 0x1000) | Leaf);
        Write(Tables + 0x1000, 0, (Tables + 0x2000) | Leaf);
        int tables = (int)(Size >> 21) + 2;
        for (int table = 0; table < tables; table++)
        {
            ulong at = Tables + 0x3000 + ((ulong)table << 12);
            Write(Tables + 0x2000, table, at | Leaf);
            for (int i = 0; i < 512; i++)
                Write(at, i, ((ulong)table << 21) | ((ulong)i << 12) | Leaf);
        }
    }

    private void Write(ulong table, int index, ulong entry) => Partition.Memory.Write(table + ((ulong)index * 8), BitConverter.GetBytes(entry));
}
