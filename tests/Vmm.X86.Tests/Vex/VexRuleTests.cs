using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.Simd;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Vex;

/// <summary>When VEX encodings are #UD, #NM or #GP: SDM Vol. 2A 2.3 and tables 2-18 to 2-29, Vol. 1 14.9.</summary>
// SAFETY: the pointers are the processor's state block and memory owned by the test.
public sealed unsafe class VexRuleTests : IDisposable
{
    private readonly IdentityProcessor _processor = IdentityProcessor.WithAvx();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(8192, 4096);

    private static readonly Action<Assembler>[] s_instructions =
    [
        a => a.vpaddb(xmm1, xmm2, xmm3), a => a.vaddpd(ymm1, ymm2, ymm3), a => a.vmovups(ymm1, __[rbx]), a => a.vmovaps(__[rbx], ymm1),
        a => a.vzeroupper(), a => a.vzeroall(), a => a.vstmxcsr(__dword_ptr[rbx]), a => a.vcomisd(xmm1, xmm2), a => a.vmovd(eax, xmm1),
        a => a.vcvttsd2si(rax, xmm1), a => a.vextractf128(__[rbx], ymm1, 1), a => a.vmaskmovps(ymm1, ymm2, __[rbx]),
        a => a.vpgatherdd(xmm1, __[rbx + (xmm2 * 4)], xmm3), a => a.vfmadd132sd(xmm1, xmm2, xmm3), a => a.vcvtps2ph(__[rbx], xmm1, 0),
        a => a.vpcmpistrm(xmm1, xmm2, 0), a => a.vinsertps(xmm1, xmm2, xmm3, 0), a => a.vptest(ymm1, ymm2),
    ];

    public VexRuleTests()
    {
        NativeMemory.Clear(_memory, 8192);
        _processor.S->General[3] = (ulong)_memory;
    }

    public void Dispose()
    {
        _processor.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    [Theory]
    [InlineData(Cr4Bits.OsXsave, 7UL, 0UL, null)]
    [InlineData(Cr4Bits.OsXsave, 7UL, Cr0Bits.TaskSwitched, 7)]
    [InlineData(0UL, 7UL, 0UL, 6)]
    [InlineData(0UL, 7UL, Cr0Bits.TaskSwitched, 6)]
    [InlineData(Cr4Bits.OsXsave, 3UL, 0UL, 6)]
    [InlineData(Cr4Bits.OsXsave, 1UL, Cr0Bits.TaskSwitched, 6)]
    [InlineData(Cr4Bits.OsXsave, 7UL, Cr0Bits.Emulation, null)] // SSE's conditions do not bind
    public void Vex_instruction_needs_the_operating_systems_consent(ulong cr4, ulong xcr0, ulong cr0, int? vector)
    {
        _processor.S->Cr4 = (_processor.S->Cr4 & ~(Cr4Bits.OsXsave | Cr4Bits.OsFxsr)) | cr4;
        _processor.S->Xcr0 = xcr0;
        _processor.S->Cr0 |= cr0;
        _processor.UpdateMode();
        foreach (Action<Assembler> instruction in s_instructions)
            Faults(instruction, vector);
    }

    [Fact]
    public void Vex_prefix_means_nothing_in_virtual_8086_mode()
    {
        _processor.S->FlagsSystem |= LazyFlags.Vm;
        _processor.UpdateMode();
        (_processor.S->Mode & ExecutionMode.AvxUsable).Should().Be(0);
    }

    [Theory]
    [InlineData(CpuFeature.Avx, "C5F158CA")] // vaddpd xmm1, xmm1, xmm2
    [InlineData(CpuFeature.Avx2, "C5F5FCCA")] // vpaddb ymm1, ymm1, ymm2
    [InlineData(CpuFeature.Avx2, "C4E27918CA")] // vbroadcastss xmm1, xmm2: from a register only with AVX2
    [InlineData(CpuFeature.Fma, "C4E2F198CA")] // vfmadd132pd xmm1, xmm1, xmm2
    [InlineData(CpuFeature.F16C, "C4E27913CA")] // vcvtph2ps xmm1, xmm2
    public void Instruction_exists_only_where_cpuid_shows_its_feature(CpuFeature feature, string bytes)
    {
        CpuFeature[] features = [CpuFeature.Xsave, CpuFeature.Avx, CpuFeature.Avx2, CpuFeature.Fma, CpuFeature.F16C];
        foreach (bool shown in new[] { true, false })
        {
            using IdentityProcessor processor = new(Models.With([.. features.Where(f => shown || f != feature)]));
            processor.S->Cr4 |= Cr4Bits.OsXsave;
            processor.S->Xcr0 = 7;
            processor.UpdateMode();
            processor.Load(a => a.db(Convert.FromHexString(bytes)));
            processor.ExecuteOne().Should().Be(shown ? RunResult.Done : RunResult.Fault);
            if (!shown)
                processor.S->Fault.Vector.Should().Be(6);
        }
    }

    [Theory]
    [InlineData("C5F158CA", true)] // vaddpd xmm1, xmm1, xmm2
    [InlineData("F0C5F158CA", false)] // LOCK
    [InlineData("66C5F158CA", false)]
    [InlineData("F2C5F158CA", false)]
    [InlineData("F3C5F158CA", false)]
    [InlineData("40C5F158CA", false)] // REX
    [InlineData("26C5F158CA", true)] // a segment override does no harm
    [InlineData("C5F828CA", true)] // vmovaps xmm1, xmm2
    [InlineData("C5F028CA", false)] // VEX.vvvv not 1111b
    [InlineData("C5FD50C9", true)] // vmovmskpd ecx, ymm1
    [InlineData("C5F550C9", false)]
    [InlineData("C5F9C5C900", true)] // vpextrw ecx, xmm1, 0
    [InlineData("C5FDC5C900", false)] // VEX.L must be 0
    [InlineData("C5F8AE13", true)] // vldmxcsr [rbx]
    [InlineData("C5FCAE13", false)]
    [InlineData("C5F0AE13", false)]
    [InlineData("C4E27D18CA", true)] // vbroadcastss ymm1, xmm2
    [InlineData("C4E2FD18CA", false)] // VEX.W must be 0
    [InlineData("C4E27D1A0B", true)] // vbroadcastf128 ymm1, [rbx]
    [InlineData("C4E2791A0B", false)] // VEX.L must be 1
    [InlineData("C4E27D1ACA", false)] // memory only
    [InlineData("C4E37506CA00", true)] // vperm2f128 ymm1, ymm1, ymm2, 0
    [InlineData("C4E37106CA00", false)]
    [InlineData("C4E3F506CA00", false)]
    [InlineData("C4E3FD00CA00", true)] // vpermq ymm1, ymm2, 0
    [InlineData("C4E37D00CA00", false)] // VEX.W must be 1
    [InlineData("C4E37D1DCA00", true)] // vcvtps2ph xmm2, ymm1, 0
    [InlineData("C4E3FD1DCA00", false)]
    [InlineData("C4E269900C93", false)] // vpgatherdd xmm1, [rbx + xmm2 * 4], xmm2: mask and index alike
    [InlineData("C4E271900C93", false)] // mask and destination alike
    [InlineData("C4E261900C8B", false)] // index and destination alike
    [InlineData("C4E261900C93", true)]
    [InlineData("C4E2619003", false)] // a gather needs a SIB byte
    [InlineData("C4E06158CA", false)] // reserved map 0
    [InlineData("C4E46158CA", false)] // reserved map 4
    public void Prefixes_and_fields_are_checked(string bytes, bool valid)
    {
        *(uint*)_memory = 0x1F80;
        _processor.Load(a => a.db(Convert.FromHexString(bytes)));
        _processor.ExecuteOne().Should().Be(valid ? RunResult.Done : RunResult.Fault);
        if (!valid)
            _processor.S->Fault.Vector.Should().Be(6);
    }

    [Fact]
    public void Only_aligned_moves_demand_alignment()
    {
        _processor.S->General[3] += 16;
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.vmovaps(ymm1, __[rbx]), a => a.vmovdqa(__[rbx], ymm1),
            a => a.vmovntpd(__[rbx], ymm1), a => a.vmovntdqa(ymm1, __[rbx]), a => a.vmovapd(xmm1, __[rbx + 8]),
            a => a.vmovntdq(__[rbx + 4], xmm1) })
        {
            Faults(instruction, 13);
            _processor.S->Fault.ErrorCode.Should().Be(0);
        }
        _processor.S->General[3] += 5;
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.vmovups(ymm1, __[rbx]), a => a.vmovdqu(__[rbx], ymm1),
            a => a.vaddps(ymm1, ymm2, __[rbx]), a => a.vpshufb(xmm1, xmm2, __[rbx]), a => a.vlddqu(ymm1, __[rbx]),
            a => a.vptest(ymm1, __[rbx]),
            a => a.vextracti128(__[rbx], ymm1, 1), a => a.vbroadcastf128(ymm1, __[rbx]), a => a.vfmadd213pd(ymm1, ymm2, __[rbx]) })
            Faults(instruction, null);
    }

    [Fact]
    public void Vex_128_clears_the_upper_half_and_legacy_sse_keeps_it()
    {
        foreach ((Action<Assembler> instruction, bool clears) in new (Action<Assembler>, bool)[]
        {
            (a => a.paddb(xmm1, xmm2), false), (a => a.vpaddb(xmm1, xmm2, xmm3), true), (a => a.vmovss(xmm1, xmm2, xmm3), true),
            (a => a.vmovd(xmm1, eax), true), (a => a.vcvtsi2sd(xmm1, xmm2, eax), true), (a => a.vfmadd132ss(xmm1, xmm2, xmm3), true),
            (a => a.vaesenc(xmm1, xmm2, xmm3), true),
        })
        {
            _processor.S->Vector[6] = _processor.S->Vector[7] = 0x1234;
            Faults(instruction, null);
            _processor.S->Vector[6].Should().Be(clears ? 0UL : 0x1234);
            _processor.S->Vector[7].Should().Be(clears ? 0UL : 0x1234);
        }
    }

    private void Faults(Action<Assembler> instruction, int? vector)
    {
        // As a handler of its own, and in a block.
        Outcome outcome = _processor.Run(instruction);
        outcome.Should().Be(vector == null ? Outcome.Next : Outcome.Fault);
        if (vector != null)
            _processor.S->Fault.Vector.Should().Be((byte)vector);
        _processor.Load(instruction);
        _processor.ExecuteOne().Should().Be(vector == null ? RunResult.Done : RunResult.Fault);
        if (vector != null)
            _processor.S->Fault.Vector.Should().Be((byte)vector);
    }
}
