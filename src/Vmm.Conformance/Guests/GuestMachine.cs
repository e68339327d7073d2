using System.Buffers.Binary;
using Iced.Intel;

namespace Vmm.Conformance;

/// <summary>A partition with 2 MiB of memory laid out as <see cref="GuestLayout"/> says, for one case.</summary>
/// <remarks>Used by the case's thread, save where a member of <see cref="IVirtualProcessor"/> or <see cref="IPartition"/> allows
/// more.</remarks>
public sealed partial class GuestMachine : IDisposable
{
    private readonly List<(Register Register, ulong Value)> _expected = [];
    private ProcessorState? _before;
    private bool _halted; // by its last exit
    private int _exitsLeft = 100_000;

    internal GuestMachine(IPartition partition)
    {
        Partition = partition;
        Ram = partition.AllocateMemory(GuestLayout.End);
        Memory.Map(0, Ram, 0, GuestLayout.Mmio, GuestAccess.All);
        Memory.Map(GuestLayout.HighMemory, Ram, GuestLayout.HighMemory, GuestLayout.End - GuestLayout.HighMemory, GuestAccess.All);
    }

    /// <summary>The partition.</summary>
    public IPartition Partition { get; }

    /// <summary>Its first processor.</summary>
    public IVirtualProcessor Processor => Partition.Processors[0];

    /// <summary>Its address space.</summary>
    public ISecondLevelAddressTranslation Memory => Partition.Memory;

    /// <summary>The block behind its memory; offset = guest-physical address.</summary>
    public GuestMemory Ram { get; }

    /// <summary>The last exits of the first processor.</summary>
    public ExitTrace Exits { get; } = new();

    /// <summary>The mode the guest was entered in.</summary>
    public GuestMode Mode { get; private set; }

    /// <summary>A register of the first processor.</summary>
    public ulong this[Register register]
    {
        get => Processor[register];
        set => Processor[register] = value;
    }

    /// <summary>Assembles code into guest memory.</summary>
    /// <param name="bitness">16, 32 or 64.</param>
    /// <param name="address">Guest-physical address, taken as the linear one too.</param>
    /// <param name="build">Writes the code.</param>
    /// <returns>Number of bytes.</returns>
    public int Assemble(int bitness, ulong address, Action<Assembler> build)
    {
        byte[] code = GuestCode.Assemble(bitness, address, build);
        Memory.Write(address, code);
        return code.Length;
    }

    /// <summary>Reads 1 to 8 bytes of guest-physical memory.</summary>
    public ulong Peek(ulong address, int size = 8)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        Memory.Read(address, bytes[..size]);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>Writes 1 to 8 bytes of guest-physical memory.</summary>
    public void Poke(ulong address, ulong value, int size = 8)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        Memory.Write(address, bytes[..size]);
    }

    /// <summary>Reads guest-physical memory.</summary>
    public byte[] PeekBytes(ulong address, int length)
    {
        byte[] bytes = new byte[length];
        Memory.Read(address, bytes);
        return bytes;
    }

    /// <summary>Points a vector at a handler of the case's own.</summary>
    /// <param name="vector">0 to 255.</param>
    /// <param name="handler">Its address.</param>
    /// <param name="stack">Interrupt stack, 0 for none; only in 64-bit guests.</param>
    /// <param name="trap">A trap gate: leaves IF alone.</param>
    public void SetHandler(byte vector, ulong handler, int stack = 0, bool trap = false) =>
        GuestTables.WriteGate(Memory, Mode, vector, handler, stack, trap);

    /// <summary>Replaces the leaf entry that maps a page below 2 MiB in the guest's own tables.</summary>
    /// <param name="linear">The page.</param>
    /// <param name="change">Gets the entry and gives the new one.</param>
    public void ChangePage(ulong linear, Func<ulong, ulong> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        ulong entry = PageEntryAddress(linear);
        int size = Mode == GuestMode.Paged32 ? 4 : 8;
        Poke(entry, change(Peek(entry, size)), size);
    }

    /// <summary>Guest-physical address of the leaf entry that maps a page below 2 MiB.</summary>
    public ulong PageEntryAddress(ulong linear) => Mode switch
    {
        GuestMode.Paged32 => GuestLayout.Tables32 + 0x1000 + ((linear >> 12) * 4),
        GuestMode.Pae => GuestLayout.PaeTables + 0x2000 + ((linear >> 12) * 8),
        GuestMode.Long or GuestMode.Compatibility => GuestLayout.LongTables + 0x3000 + ((linear >> 12) * 8),
        _ => throw new InvalidOperationException($"{Mode} has no page tables."),
    };

    /// <summary>Compares registers of the first processor; a failure shows them before, now and as expected.</summary>
    public void VerifyRegisters(params (Register Register, ulong Value)[] expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        _expected.Clear();
        List<string> wrong = [];
        foreach ((Register register, ulong value) in expected)
        {
            _expected.Add((register, value));
            ulong actual = Processor[register];
            if (actual != value)
                wrong.Add($"{register} expected 0x{value:X}, got 0x{actual:X}");
        }
        if (wrong.Count != 0)
            Verify.Fail("Registers: " + string.Join("; ", wrong) + ".");
        _expected.Clear();
    }

    internal MachineDump Dump() => MachineDump.Take(Processor, Exits, _before, _expected);

    /// <summary>Disposes the partition and the memory.</summary>
    public void Dispose()
    {
        Partition.Dispose();
        Ram.Dispose();
    }
}
