using System.Buffers.Binary;

namespace Vmm.Core.Tests;

/// <summary>The short ways to say things, on a backend that carries them out.</summary>
public sealed class ShortFormTests
{
    [Fact]
    public void Whole_block_is_mapped_and_64_bit_code_with_sse_runs_in_it()
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new());
        using GuestMemory memory = partition.AllocateMemory(0x20_0000);
        partition.Memory.Map(0, memory);
        partition.Memory.Regions.Should().ContainSingle().Which.Access.Should().Be(GuestAccess.All);
        Entry(memory, 0x2000, 0x3003);
        Entry(memory, 0x3000, 0x4003);
        Entry(memory, 0x4000, 0x83);
        // mov rax, 1 << 40; movq xmm0, rax; movq rbx, xmm0; push rbx; hlt
        memory.Write(0x1000, [0x48, 0xB8, 0, 0, 0, 0, 0, 1, 0, 0, 0x66, 0x48, 0x0F, 0x6E, 0xC0, 0x66, 0x48, 0x0F, 0x7E, 0xC3, 0x53, 0xF4]);

        IVirtualProcessor processor = partition.Processors[0];
        processor.StartInLongMode(0x1000, 0x2000, 0x8000);

        processor.Run().Kind.Should().Be(ExitKind.Halt);
        processor[Register.Rbx].Should().Be(1ul << 40);
        processor[Register.Rsp].Should().Be(0x7FF8);
        // Back again: nothing of it stays.
        processor.StartInRealMode(0x1000);
        processor[Register.Cr4].Should().Be(0);
        processor[Register.Efer].Should().Be(0);
    }

    [Fact]
    public void Mapping_takes_the_rights_that_are_named()
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new());
        using GuestMemory memory = partition.AllocateMemory(0x1000);
        partition.Memory.Map(0x1000, memory, GuestAccess.Read);
        partition.Memory.Regions.Should().ContainSingle().Which.Access.Should().Be(GuestAccess.Read);
    }

    public static TheoryData<VpExit, string> Exits => new()
    {
        { new VpExit(ExitKind.Halt), "Halt" },
        { new VpExit(new PortIoExit { Port = 0x3F8, Size = 1, Count = 1, IsWrite = true, Value = 0x41 }), "PortIo: write 0x41 to port 0x3F8, 1 byte(s)" },
        { new VpExit(new PortIoExit { Port = 0x1F0, Size = 2, Count = 256, IsString = true }), "PortIo: read port 0x1F0, 256 element(s) of 2 byte(s)" },
        { new VpExit(new MmioExit { Address = 0xFEE0_00B0, Size = 4, IsWrite = true }), "Mmio: write 0x0 to 0xFEE000B0, 4 byte(s)" },
        { new VpExit(new MmioExit { Address = 0xD000_0000, Size = 8 }), "Mmio: read 0xD0000000, 8 byte(s)" },
        {
            new VpExit(new SlatViolationExit { Address = 0x5000, Access = GuestAccess.Write, Size = 2, Value = 0x1234 }),
            "SlatViolation: Write access to 0x5000 refused, value 0x1234, 2 byte(s)"
        },
        {
            new VpExit(new SlatViolationExit { Address = 0x5000, Access = GuestAccess.Read, PageWalk = true }),
            "SlatViolation: Read access to 0x5000 refused, during a page walk"
        },
        { new VpExit(new CpuidExit { Leaf = 0x4000_0000 }), "Cpuid: leaf 0x40000000, subleaf 0x0" },
        { new VpExit(new MsrExit { Msr = 0x10 }), "Msr: read MSR 0x10" },
        { new VpExit(new ExceptionExit { Vector = 14, HasErrorCode = true, ErrorCode = 2, Payload = 0x1000 }), "Exception: vector 14, error code 0x2, payload 0x1000" },
        { new VpExit(new DebugExit { Access = GuestAccess.Execute, Address = 0x7C00 }), "Debug: breakpoint at 0x7C00" },
        { new VpExit(new InitSipiExit { IsStartup = true, Vector = 0x10 }), "InitSipi: start-up interrupt, vector 0x10" },
    };

    [Theory]
    [MemberData(nameof(Exits))]
    public void Exit_says_what_happened_in_hexadecimal(VpExit exit, string text) => exit.ToString().Should().Be(text);

    private static void Entry(GuestMemory memory, ulong address, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        memory.Write(address, bytes);
    }
}
