using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests;

/// <summary>
/// A processor core over one block of memory from guest-physical 0, with real paging, ports and MSRs that go outside, and a step function
/// that decodes one instruction and runs its registered handler.
/// </summary>
internal sealed unsafe class TestProcessor : ProcessorCore
{
    public const int MemorySize = 4 << 20;
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(MemorySize, 4096);
    private readonly HashSet<ulong> _forbidden = [];

    public TestProcessor(CpuidModel? model = null, bool hypercalls = false)
    {
        if (model != null)
            Model = model;
        HypercallsEnabled = hypercalls;
        NativeMemory.Clear(_memory, MemorySize);
        ResetState(ResetKind.PowerOn);
    }

    public VcpuState* S => State;

    public override int PhysicalAddressBits => Model.PhysicalAddressBits;

    public int TranslationChanges { get; private set; }

    public ulong Clock { get; set; } = 1000;

    /// <summary>Pages that the second level refuses to have written.</summary>
    public ISet<ulong> ReadOnlyPages => _forbidden;

    public override ulong ReadTimeStampCounter() => Clock + State->TscOffset;

    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page)
    {
        page = default;
        ulong frame = address >> 12;
        bool write = access is PhysicalAccess.Write or PhysicalAccess.WalkWrite;
        page.Kind = frame >= MemorySize >> 12 ? PhysicalPageKind.Unmapped
            : write && _forbidden.Contains(frame) ? PhysicalPageKind.Forbidden : PhysicalPageKind.Memory;
        if (page.Kind == PhysicalPageKind.Memory)
            page.Host = _memory + (frame << 12);
    }

    protected override void OnTrackedWrite(ulong address, int size)
    {
    }

    protected override bool TryAnswer(ref ExternalRequest request)
    {
        if (request.Kind != ExternalRequestKind.Cpuid)
            return false;
        AnswerCpuid(ref request);
        return true;
    }

    protected override void OnTranslationsChanged() => TranslationChanges++;

    public void Poke(ulong address, params byte[] bytes) => bytes.CopyTo(new Span<byte>(_memory + address, bytes.Length));

    public void Poke64(ulong address, params ulong[] values)
    {
        for (int i = 0; i < values.Length; i++)
            *(ulong*)(_memory + address + (ulong)(8 * i)) = values[i];
    }

    public void Poke32(ulong address, uint value) => *(uint*)(_memory + address) = value;

    public void Poke16(ulong address, ushort value) => *(ushort*)(_memory + address) = value;

    public ulong Peek64(ulong address) => *(ulong*)(_memory + address);

    public uint Peek32(ulong address) => *(uint*)(_memory + address);

    public ushort Peek16(ulong address) => *(ushort*)(_memory + address);

    public byte Peek8(ulong address) => _memory[address];

    public ref SegmentRegister Segment(int index) => ref State->Segments[index];

    /// <summary>Decodes the bytes as the instruction at RIP and runs it once; on success RIP moves on.</summary>
    public Outcome Run(params byte[] bytes)
    {
        int bits = (State->Mode & ExecutionMode.CodeSizeMask) switch { ExecutionMode.Code16 => 16, ExecutionMode.Code32 => 32, _ => 64 };
        Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(bytes), State->Rip, Model.DecoderOptions);
        decoder.Decode(out Instruction instruction);
        instruction.IsInvalid.Should().BeFalse("the bytes must be an instruction");
        if (!Model.IsAvailable(instruction.Code) || InstructionTable.Instance[instruction.Code] == null)
            return RaiseInvalidOpcode();
        RewindAnswers();
        Outcome outcome = InstructionTable.Instance[instruction.Code](this, State, &instruction);
        if (outcome is Outcome.Next or Outcome.NextBlock)
            State->Rip = instruction.NextIP;
        if (outcome is not Outcome.Exit)
            ClearAnswers();
        return outcome;
    }

    /// <summary>Puts the bytes where CS:RIP points (identity mapped) and runs one instruction the whole way, from fetch on.</summary>
    public RunResult Step(params byte[] bytes)
    {
        ulong address = Is64Bit ? State->Rip : State->Segments[SegmentIndex.Cs].Base + State->Rip;
        Poke(address, bytes);
        CodeMap.Invalidate(address, (ulong)bytes.Length);
        return ExecuteOne();
    }

    /// <summary>The fault just raised, as "vector(code)" or "vector".</summary>
    public string Fault => State->Fault.HasErrorCode ? $"{State->Fault.Vector}({State->Fault.ErrorCode:X})" : $"{State->Fault.Vector}";

    protected override void Dispose(bool disposing)
    {
        if (State != null)
            NativeMemory.AlignedFree(_memory);
        base.Dispose(disposing);
    }
}
