using Vmm.Emulator;

namespace Vmm.Hostile.Guests;

/// <summary>
/// One hostile guest and its careless client, all made from one number: mode, tables, code, options, answers, injections, changes of the
/// address
/// space. <see cref="Run"/> throws when the backend breaks its contract.
/// </summary>
public sealed partial class HostileGuest : IDisposable
{
    private const ulong Instructions = 200_000;
    private const int MostExits = 400;
    private const int Guard = 0x1000;

    private readonly Random _random;
    private readonly HostileMode _mode;
    private readonly bool _v2;
    private readonly IPartition _partition;
    private readonly IVirtualProcessor _processor;
    private readonly GuestMemory _ram;
    private readonly Timer? _nudge;

    public HostileGuest(int seed)
    {
        Seed = seed;
        _random = new Random(seed);
        _mode = (HostileMode)_random.Next((int)HostileMode.Compatibility + 1);
        _v2 = _random.Next(2) == 0;
        LocalApicMode apic = _random.Next(4) switch { 0 => LocalApicMode.XApic, 1 => LocalApicMode.X2Apic, _ => LocalApicMode.None };
        SlatFormat format = (SlatFormat)_random.Next(3);
        PartitionOptions options = new()
        {
            CpuProfile = _v2 ? CpuProfiles.V2 : CpuProfiles.V1,
            SlatFormat = format,
            LocalApic = apic,
            EnforceExecute = _random.Next(2) == 0,
            HypercallExits = _random.Next(2) == 0,
            ExceptionExits = _random.Next(3) == 0 ? (uint)_random.Next() & ~4U : 0,
            CpuidExits = _random.Next(3) == 0 ? [0, 1, 7] : [],
            MsrPolicy = _random.Next(3) == 0 ? Policy() : null,
            InstructionBudget = (ulong)_random.Next(1, _random.Next(2) == 0 ? 300 : 20_000),
        };
        Description = $"seed {seed}: {_mode}, {(_v2 ? "v2" : "v1")}, {format}, APIC {apic}, exceptions 0x{options.ExceptionExits:X}, budget {options.InstructionBudget}";
        _partition = new EmulatorHypervisor().CreatePartition(options);
        _processor = _partition.Processors[0];
        _ram = _partition.AllocateMemory(HostileLayout.End + (2 * Guard));
        Span<byte> whole = _ram.GetSpan(0, (int)_ram.Length);
        whole.Fill(0xA5);
        Span<byte> memory = whole[Guard..^Guard];
        memory.Clear();
        HostileLayout.Fill(memory, _mode, _random);
        int bitness = _mode switch { HostileMode.Real or HostileMode.Virtual8086 => 16, HostileMode.Long or HostileMode.LongUser => 64,
            _ => 32 };
        Span<byte> code = memory.Slice((int)HostileLayout.Code, HostileLayout.CodeLength);
        HostileCode.Fill(code[..0x2000], bitness, _random);
        for (int at = 0x2000; at < code.Length; at += 0x2000)
            code[(at % 3)..0x2000].CopyTo(code[at..]);
        MapAll();
        Revive();
        if (apic != LocalApicMode.None || _random.Next(8) == 0)
            _nudge = new Timer(static processor => ((IVirtualProcessor)processor!).Cancel(), _processor, 2, 2);
    }

    public int Seed { get; }

    public string Description { get; }

    /// <summary>Exits by kind.</summary>
    public ulong[] Exits { get; } = new ulong[(int)ExitKind.Failed + 1];

    public ulong Retired => _processor.Counters.Instructions;

    public void Run()
    {
        int exits = 0;
        ulong most = Instructions;
        while (exits++ < MostExits && Retired < most)
        {
            Disturb();
            _continued = _processor.IsPending;
            VpExit exit = _processor.Run();
            Exits[(int)exit.Kind]++;
            Answer(exit);
        }
        Span<byte> whole = _ram.GetSpan(0, (int)_ram.Length);
        if (whole[..Guard].ContainsAnyExcept((byte)0xA5) || whole[^Guard..].ContainsAnyExcept((byte)0xA5))
            throw new InvalidOperationException("memory beside the mapping was written");
    }

    public void Dispose()
    {
        _partition.Dispose();
        _nudge?.Dispose();
        _ram.Dispose();
    }

    private void MapAll()
    {
        ISecondLevelAddressTranslation memory = _partition.Memory;
        Map(0, HostileLayout.Hole, GuestAccess.All);
        Map(HostileLayout.ReadOnly, HostileLayout.NoExecute, GuestAccess.Read | GuestAccess.Execute);
        Map(HostileLayout.NoExecute, HostileLayout.End - 0x4000, GuestAccess.ReadWrite);
        Map(HostileLayout.End - 0x4000, HostileLayout.End, GuestAccess.All);

        void Map(ulong from, ulong to, GuestAccess access) => memory.Map(from, _ram, from + Guard, to - from, access);
    }

    private MsrPolicy Policy()
    {
        MsrRange[] ranges = new MsrRange[_random.Next(1, 4)];
        for (int i = 0; i < ranges.Length; i++)
        {
            uint first = _random.Next(2) == 0 ? 0xC000_0080 + (uint)_random.Next(0x90) : (uint)_random.Next(0x900);
            ranges[i] = new MsrRange(first, first + (uint)_random.Next(0x200), (MsrAction)_random.Next(4), (MsrAction)_random.Next(4));
        }
        return new MsrPolicy { Ranges = ranges, Unknown = (MsrAction)_random.Next(1, 4) };
    }

    private void Revive()
    {
        _processor.GetState(RegisterGroups.All, out ProcessorState state);
        state = HostileState.Make(_mode, state, _v2, _random);
        state.Events = default;
        state.Debug = default;
        _processor.SetState(RegisterGroups.All, state);
        if (_random.Next(4) == 0)
        {
            byte[] area = new byte[_processor.XsaveSize];
            _random.NextBytes(area.AsSpan(0, 416));
            BitConverter.TryWriteBytes(area.AsSpan(24), 0x1F80 ^ (_random.Next(64) << 7)); // some exceptions unmasked
            area[512] = 3;
            area.AsSpan(513, 63).Clear();
            _processor.SetXsave(area);
        }
    }
}
