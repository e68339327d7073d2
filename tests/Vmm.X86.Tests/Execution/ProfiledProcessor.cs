using System.Runtime.InteropServices;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Execution;

/// <summary>
/// 64-bit code at a fixed page, and two pages of data that appear at any linear address wished, as the native oracle needs it.
/// </summary>
internal sealed unsafe class ProfiledProcessor : ProcessorCore
{
    private const ulong CodeLinear = 0x40_0000;
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(4 * 4096, 4096);
    private ulong _scratch;

    public ProfiledProcessor()
    {
        Model = Models.With(CpuFeature.Movbe, CpuFeature.PopulationCount, CpuFeature.Sse42, CpuFeature.Bmi1, CpuFeature.Bmi2,
            CpuFeature.LeadingZeroCount);
        NativeMemory.Clear(_memory, 4 * 4096);
    }

    public override int PhysicalAddressBits => 40;

    public Span<byte> Scratch => new(_memory + 4096 + (int)(_scratch & 0xFFF), NativeOracle.NativeState.ScratchLength);

    public void Reset(byte[] code, ulong[] registers, ulong flags, ulong scratchAddress, byte[] scratch)
    {
        _scratch = scratchAddress;
        State->Efer = EferBits.LongModeEnable | EferBits.LongModeActive;
        State->Cr0 = Cr0Bits.ProtectionEnable;
        for (int i = 0; i < 6; i++)
            State->Segments[i] = new SegmentRegister { Limit = uint.MaxValue, Attributes = i == SegmentIndex.Cs ? 0xA09Bu : 0xC093u };
        for (int i = 0; i < 16; i++)
            State->General[i] = registers[i];
        LazyFlags.Set(State, flags);
        State->Activity = Activity.Running;
        UpdateMode();
        FlushTlb();
        Span<byte> page = new(_memory, 4096);
        if (!page[..code.Length].SequenceEqual(code) || page[code.Length] != 0xF4)
        {
            code.CopyTo(page);
            page[code.Length] = 0xF4; // hlt
            CodeMap.Invalidate(0, 4096);
        }
        State->Rip = CodeLinear;
        scratch.CopyTo(Scratch);
    }

    /// <summary>Runs the one instruction by itself, a repeated one to its end.</summary>
    public RunResult Step()
    {
        RunResult result;
        do
            result = ExecuteOne();
        while (result == RunResult.Done && State->Rip == CodeLinear);
        return result;
    }

    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page) =>
        page = new PhysicalPage { Kind = PhysicalPageKind.Memory, Host = _memory + (address & ~0xFFFUL) };

    protected override bool TryAnswer(ref ExternalRequest request) => false;

    public override ulong ReadTimeStampCounter() => 0;

    protected override bool WalkGuest(ulong linear, PhysicalAccess access, DataPrivilege privilege, out ulong physical)
    {
        ulong page = linear & ~0xFFFUL;
        physical = linear & 0xFFF;
        if (page == CodeLinear)
            return true;
        if (page == (_scratch & ~0xFFFUL))
        {
            physical |= 4096;
            return true;
        }
        if (page == (_scratch & ~0xFFFUL) + 4096)
        {
            physical |= 8192; // the data may lie across two pages
            return true;
        }
        RaisePageFault(linear, 0);
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (State != null)
            NativeMemory.AlignedFree(_memory);
        base.Dispose(disposing);
    }
}
