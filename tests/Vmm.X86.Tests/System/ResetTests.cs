using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>SDM Vol. 3A table 10-1.</summary>
public sealed unsafe class ResetTests
{
    [Fact]
    public void ResetState_at_power_on_gives_the_manuals_values()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;

        s->Rip.Should().Be(0xFFF0);
        LazyFlags.Get(s).Should().Be(2);
        s->Cr0.Should().Be(0x6000_0010);
        (s->Cr2 | s->Cr3 | s->Cr4 | s->Cr8 | s->Efer).Should().Be(0);
        cpu.Segment(SegmentIndex.Cs).Selector.Should().Be(0xF000);
        cpu.Segment(SegmentIndex.Cs).Base.Should().Be(0xFFFF_0000);
        for (int i = 0; i < 8; i++)
            cpu.Segment(i).Limit.Should().Be(0xFFFF);
        s->Gdtr.Limit.Should().Be(0xFFFF);
        s->Idtr.Limit.Should().Be(0xFFFF);
        s->Debug[6].Should().Be(0xFFFF_0FF0);
        s->Debug[7].Should().Be(0x400);
        s->Mxcsr.Should().Be(0x1F80);
        s->FpuControl.Should().Be(0x40);
        s->Xcr0.Should().Be(1);
        s->Pat.Should().Be(0x0007_0406_0007_0406);
        s->General[2].Should().Be(cpu.Model.Signature);
        (s->Mode & ExecutionMode.CodeSizeMask).Should().Be(ExecutionMode.Code16);
    }

    [Fact]
    public void ResetState_at_init_keeps_what_the_manual_says_is_unchanged()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;
        s->Cr0 = 0x8000_0011 | Cr0Bits.CacheDisable;
        s->Mxcsr = 0x1F00;
        s->FpuControl = 0x37F;
        s->Vector[5] = 77;
        s->Star = 0x1234;
        s->Efer = 0xD01;
        s->General[0] = 5;
        s->NmiBlocked = true;

        cpu.ResetState(ResetKind.Init);

        s->Cr0.Should().Be(0x4000_0010);
        s->Mxcsr.Should().Be(0x1F00);
        s->FpuControl.Should().Be(0x37F);
        s->Vector[5].Should().Be(77);
        s->Star.Should().Be(0x1234);
        s->Efer.Should().Be(0);
        s->General[0].Should().Be(0);
        s->NmiBlocked.Should().BeFalse();
    }

    [Fact]
    public void StartAt_begins_at_the_vectors_page()
    {
        using TestProcessor cpu = new();

        cpu.StartAt(0x9A);

        cpu.Segment(SegmentIndex.Cs).Selector.Should().Be(0x9A00);
        cpu.Segment(SegmentIndex.Cs).Base.Should().Be(0x9A000);
        cpu.S->Rip.Should().Be(0);
    }
}
