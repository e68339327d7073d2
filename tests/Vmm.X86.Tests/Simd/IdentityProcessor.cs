using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Simd;

/// <summary>
/// A processor core in 64-bit code whose linear addresses are host addresses, so that it can run on the
/// very memory that the native oracle used.
/// </summary>
// SAFETY: tests point it only at memory they own.
internal sealed unsafe class IdentityProcessor : ProcessorCore
{
    private const int Pages = 4096;
    private readonly byte* _code = (byte*)NativeMemory.AlignedAlloc(Pages * 4096, 4096);
    private int _page = 1;

    public IdentityProcessor(CpuidModel? model = null)
    {
        Model = model ?? Models.With(CpuFeature.Sse3, CpuFeature.SupplementalSse3, CpuFeature.Sse41, CpuFeature.Sse42,
            CpuFeature.Aes, CpuFeature.CarrylessMultiply);
        ResetState(ResetKind.PowerOn);
        State->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.NumericError | Cr0Bits.Paging | Cr0Bits.MonitorCoprocessor;
        State->Cr4 = Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions;
        State->Efer = EferBits.LongModeEnable | EferBits.LongModeActive;
        State->Segments[SegmentIndex.Cs].Attributes = 0x209B;
        State->Segments[SegmentIndex.Cs].Base = 0;
        UpdateMode();
    }

    /// <summary>A processor with AVX, AVX2, FMA and F16C, enabled.</summary>
    public static IdentityProcessor WithAvx()
    {
        IdentityProcessor processor = new(Models.With(CpuFeature.Sse3, CpuFeature.SupplementalSse3, CpuFeature.Sse41, CpuFeature.Sse42,
            CpuFeature.Aes, CpuFeature.CarrylessMultiply, CpuFeature.Xsave, CpuFeature.Avx, CpuFeature.Avx2, CpuFeature.Fma,
            CpuFeature.F16C, CpuFeature.Bmi1, CpuFeature.Bmi2, CpuFeature.LeadingZeroCount, CpuFeature.Movbe, CpuFeature.PopulationCount));
        processor.State->Cr4 |= Cr4Bits.OsXsave;
        processor.State->Xcr0 = 7;
        processor.UpdateMode();
        return processor;
    }

    public VcpuState* S => State;

    /// <summary>An address in a page that is not present: an access is a page fault.</summary>
    public ulong MissingPage { get; set; } = ulong.MaxValue;

    /// <summary>An address in a page that belongs to a device.</summary>
    public ulong DevicePage { get; set; } = ulong.MaxValue;

    /// <summary>A page of data.</summary>
    public byte* Data => _code + 4096;

    /// <summary>Assembles a program into a page of its own and points RIP at it.</summary>
    public ulong Load(Action<Assembler> program)
    {
        Assembler assembler = new(64);
        program(assembler);
        using MemoryStream stream = new();
        byte* page = _code + (4096 * ++_page);
        assembler.Assemble(new StreamCodeWriter(stream), (ulong)page);
        stream.ToArray().CopyTo(new Span<byte>(page, 4096));
        State->Rip = (ulong)page;
        return State->Rip;
    }

    /// <summary>Puts one instruction where the processor can fetch it.</summary>
    public Instruction Place(Instruction instruction)
    {
        Assembler assembler = new(64);
        assembler.AddInstruction(instruction);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), (ulong)_code);
        byte[] bytes = stream.ToArray();
        bytes.CopyTo(new Span<byte>(_code, 16));
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes), (ulong)_code);
        decoder.Decode(out Instruction decoded);
        decoded.Code.Should().Be(instruction.Code);
        return decoded;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        NativeMemory.AlignedFree(_code);
    }

    /// <summary>Assembles one instruction and runs its handler from Iced's form.</summary>
    public Outcome Run(Action<Assembler> instruction)
    {
        Assembler assembler = new(64);
        instruction(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), 0x1000);
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(stream.ToArray()), 0x1000);
        decoder.Decode(out Instruction decoded);
        return InstructionTable.Instance[decoded.Code](this, State, &decoded);
    }

    public override int PhysicalAddressBits => 48;

    public override ulong ReadTimeStampCounter() => 0;

    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page) =>
        page = address >> 12 == DevicePage >> 12
            ? new PhysicalPage { Kind = PhysicalPageKind.Unmapped }
            : new PhysicalPage { Kind = PhysicalPageKind.Memory, Host = (byte*)(address & ~0xFFFUL) };

    protected override void OnTrackedWrite(ulong address, int size)
    {
    }

    protected override bool TryAnswer(ref ExternalRequest request) => false;

    protected override bool WalkGuest(ulong linear, PhysicalAccess access, DataPrivilege privilege, out ulong physical)
    {
        physical = linear;
        if (linear >> 12 != MissingPage >> 12)
            return true;
        RaisePageFault(linear, 0);
        return false;
    }
}
