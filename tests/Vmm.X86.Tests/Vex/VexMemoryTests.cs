using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.Simd;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Vex;

/// <summary>
/// Which elements of masked moves and gathers touch memory, and what is left after a fault: SDM Vol. 2C, VMASKMOV and VGATHER.
/// </summary>
// SAFETY: the pointers are the processor's state block and memory owned by the test.
public sealed unsafe class VexMemoryTests : IDisposable
{
    private readonly IdentityProcessor _processor = IdentityProcessor.WithAvx();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(3 * 4096, 4096);

    public VexMemoryTests()
    {
        for (int i = 0; i < 3 * 1024; i++)
            ((uint*)_memory)[i] = (uint)i;
        _processor.MissingPage = (ulong)_memory + 4096;
        _processor.S->General[3] = (ulong)_memory + 4096 - 12; // three doublewords before the hole
    }

    public void Dispose()
    {
        _processor.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private uint* Register(int number) => (uint*)(&_processor.S->Vector[0] + (4 * number));

    private void Mask(int register, int chosen)
    {
        for (int lane = 0; lane < 8; lane++)
            Register(register)[lane] = (chosen & (1 << lane)) != 0 ? 0x8000_0000 : 0x7FFF_FFFF;
    }

    [Theory]
    [InlineData(0b0000_0111, -1)]
    [InlineData(0b0000_0000, -1)]
    [InlineData(0b0000_1010, 3)]
    [InlineData(0b1100_0000, 6)]
    public void Masked_load_faults_for_chosen_elements_only(int chosen, int faulting)
    {
        Mask(2, chosen);
        Register(1)[0] = 0x1234;
        Outcome outcome = _processor.Run(a => a.vmaskmovps(ymm1, ymm2, __[rbx]));
        if (faulting < 0)
        {
            outcome.Should().Be(Outcome.Next);
            for (int lane = 0; lane < 8; lane++)
                Register(1)[lane].Should().Be((chosen & (1 << lane)) != 0 ? 1021U + (uint)lane : 0);
            return;
        }
        outcome.Should().Be(Outcome.Fault);
        _processor.S->Fault.Vector.Should().Be(14);
        _processor.S->Fault.Payload.Should().Be(_processor.S->General[3] + (4 * (ulong)faulting));
        Register(1)[0].Should().Be(0x1234);
    }

    [Theory]
    [InlineData(0b0000_0101, false)]
    [InlineData(0b0000_0000, false)]
    [InlineData(0b0010_0001, true)]
    public void Masked_store_stores_all_chosen_elements_or_none(int chosen, bool faults)
    {
        Mask(2, chosen);
        for (int lane = 0; lane < 8; lane++)
            Register(1)[lane] = 0xAA00U + (uint)lane;
        _processor.Run(a => a.vpmaskmovd(__[rbx], ymm2, ymm1)).Should().Be(faults ? Outcome.Fault : Outcome.Next);
        for (int lane = 0; lane < 3; lane++)
            ((uint*)_memory)[1021 + lane].Should().Be(!faults && (chosen & (1 << lane)) != 0 ? 0xAA00U + (uint)lane : 1021U + (uint)lane);
    }

    [Fact]
    public void Gather_keeps_what_it_had_before_a_fault_and_goes_on_from_there()
    {
        _processor.S->General[3] = (ulong)_memory;
        uint[] indices = [5, 2049, 7, 1030, 9, 1031, 11, 12]; // the fourth and the sixth lie in the hole
        for (int lane = 0; lane < 8; lane++)
        {
            Register(1)[lane] = 0xDEAD;
            Register(2)[lane] = indices[lane];
        }
        Mask(3, 0b1111_1011);
        _processor.Run(a => a.vpgatherdd(ymm1, __[rbx + (ymm2 * 4)], ymm3)).Should().Be(Outcome.Fault);
        _processor.S->Fault.Vector.Should().Be(14);
        _processor.S->Fault.Payload.Should().Be((ulong)_memory + (4 * 1030));
        for (int lane = 0; lane < 8; lane++)
        {
            Register(1)[lane].Should().Be(lane is 0 or 1 ? indices[lane] : 0xDEAD);
            ((int)Register(3)[lane] < 0).Should().Be(lane is not (0 or 1 or 2));
        }

        _processor.MissingPage = ulong.MaxValue;
        ((uint*)_memory)[5] = 0xBAD; // which is not read again
        _processor.Run(a => a.vpgatherdd(ymm1, __[rbx + (ymm2 * 4)], ymm3)).Should().Be(Outcome.Next);
        for (int lane = 0; lane < 8; lane++)
        {
            Register(1)[lane].Should().Be(lane == 2 ? 0xDEAD : indices[lane]);
            Register(3)[lane].Should().Be(0);
        }
    }

    [Fact]
    public void Gather_from_a_device_asks_for_every_element_once_and_commits_at_the_end()
    {
        _processor.MissingPage = ulong.MaxValue;
        _processor.DevicePage = (ulong)_memory + 4096;
        _processor.S->General[3] = (ulong)_memory + 4096;
        for (int lane = 0; lane < 4; lane++)
            Register(2)[lane] = (uint)(2 * lane);
        Mask(3, 0b1101);
        Register(1)[1] = 0x5555;
        _processor.Load(a =>
        {
            a.vgatherdps(xmm1, __[rbx + (xmm2 * 4)], xmm3);
            a.hlt();
        });
        foreach (uint element in new uint[] { 0, 2, 3 })
        {
            _processor.Execute().Should().Be(RunResult.Exit);
            (_processor.Request.Kind, _processor.Request.Address, _processor.Request.Size).Should()
                .Be((ExternalRequestKind.MmioRead, (ulong)_memory + 4096 + (8 * element), (byte)4));
            ((int)Register(3)[0]).Should().BeNegative();
            _processor.Answer(0x100 + element);
        }
        _processor.Execute().Should().Be(RunResult.Idle);
        new Span<uint>(Register(1), 4).ToArray().Should().Equal(0x100, 0x5555, 0x102, 0x103);
        new Span<uint>(Register(3), 8).ToArray().Should().OnlyContain(x => x == 0);
    }

    [Fact]
    public void Masked_moves_and_gathers_are_never_checked_for_alignment()
    {
        VcpuState* s = _processor.S;
        _processor.MissingPage = ulong.MaxValue;
        s->Cpl = 3;
        s->Cr0 |= Cr0Bits.AlignmentMask;
        s->FlagsSystem |= LazyFlags.Ac;
        _processor.UpdateMode();
        s->General[3] = (ulong)_memory + 1;
        new Span<uint>(Register(2), 8).Clear();
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.vmaskmovps(ymm1, ymm3, __[rbx]),
            a => a.vmaskmovpd(__[rbx], ymm3, ymm4), a => a.vpgatherdd(ymm1, __[rbx + (ymm2 * 4)], ymm3) })
        {
            Mask(3, 0xFF);
            _processor.Run(instruction).Should().Be(Outcome.Next, $"vector {s->Fault.Vector}");
        }
        _processor.Run(a => a.vmovss(xmm1, __dword_ptr[rbx])).Should().Be(Outcome.Fault);
        s->Fault.Vector.Should().Be(17);
    }

    [Fact]
    public void Half_precision_store_faults_before_it_reports_inexactness()
    {
        for (int lane = 0; lane < 8; lane++)
            Register(1)[lane] = 0x3F80_0001;
        _processor.S->Mxcsr = 0x1F80;
        _processor.S->General[3] = (ulong)_memory + 4096;
        _processor.Run(a => a.vcvtps2ph(__[rbx], ymm1, 0)).Should().Be(Outcome.Fault);
        _processor.S->Fault.Vector.Should().Be(14);
        _processor.S->Mxcsr.Should().Be(0x1F80);
        _processor.S->General[3] = (ulong)_memory;
        _processor.Run(a => a.vcvtps2ph(__[rbx], ymm1, 0)).Should().Be(Outcome.Next);
        _processor.S->Mxcsr.Should().Be(0x1FA0);
    }
}
