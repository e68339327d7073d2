using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Tests.Interrupts;

/// <summary>Reset values, the page, the MSRs and the changes of mode (SDM Vol. 3A 11.4, 11.12).</summary>
public sealed class LocalApicRegisterTests
{
    private readonly ApicBench _bench = new(3);

    private LocalApic Apic => _bench.Apic;

    [Fact]
    public void Power_on_values_are_the_manuals()
    {
        Apic.Base.Should().Be(0xFEE0_0800);
        new ApicBench().Apic.Base.Should().Be(0xFEE0_0900, "the bootstrap processor says so");
        Apic.Page.Should().Be(0xFEE00);
        Dictionary<int, uint> expected = new()
        {
            [0x20] = 0x0300_0000, [0x30] = 0x0005_0014, [0x80] = 0, [0xA0] = 0, [0xD0] = 0, [0xE0] = 0xFFFF_FFFF,
            [0xF0] = 0xFF, [0x280] = 0,
            [0x300] = 0, [0x310] = 0, [0x320] = 0x10000, [0x330] = 0x10000, [0x340] = 0x10000, [0x350] = 0x10000, [0x360] = 0x10000,
            [0x370] = 0x10000, [0x380] = 0, [0x390] = 0, [0x3E0] = 0,
        };
        foreach ((int offset, uint value) in expected)
            _bench[offset].Should().Be(value, "register {0:X}", offset);
        for (int offset = 0x100; offset < 0x280; offset += 16)
            _bench[offset].Should().Be(0);
    }

    [Theory]
    [InlineData(0x320, 0x7_00FFu)]
    [InlineData(0x330, 0x1_07FFu)]
    [InlineData(0x340, 0x1_07FFu)]
    [InlineData(0x350, 0x1_A7FFu)]
    [InlineData(0x360, 0x1_A7FFu)]
    [InlineData(0x370, 0x1_00FFu)]
    [InlineData(0x0D0, 0xFF00_0000u)]
    [InlineData(0x080, 0xFFu)]
    [InlineData(0x0F0, 0x3FFu)]
    [InlineData(0x310, 0xFF00_0000u)]
    [InlineData(0x3E0, 0xBu)]
    [InlineData(0x020, 0x0300_0000u)]
    [InlineData(0x030, 0x0005_0014u)]
    public void Register_keeps_the_bits_it_has(int offset, uint kept)
    {
        _bench.Enabled();
        _bench[offset] = 0xFFFF_FFFF;
        _bench[offset].Should().Be(kept);
    }

    [Fact]
    public void Local_vectors_stay_masked_while_disabled_by_software()
    {
        _bench[0x350] = 0x700;
        _bench[0x350].Should().Be(0x1_0700);
        _bench.Enabled();
        _bench[0x350] = 0x700;
        _bench[0x350].Should().Be(0x700);
        _bench[0xF0] = 0xFF;
        _bench[0x350].Should().Be(0x1_0700);
        _bench[0xF0] = 0x1FF;
        _bench[0x350].Should().Be(0x1_0700, "enabling does not unmask");
    }

    [Fact]
    public void Narrow_reads_give_the_registers_bytes_and_narrow_writes_nothing()
    {
        Apic.ReadMemory(0x30, 1).Should().Be(0x14);
        Apic.ReadMemory(0x32, 1).Should().Be(5);
        Apic.ReadMemory(0x30, 8).Should().Be(0x0005_0014);
        Apic.ReadMemory(0x34, 4).Should().Be(0);
        Apic.WriteMemory(0x80, 1, 0x55);
        Apic.WriteMemory(0x84, 4, 0x55);
        _bench[0x80].Should().Be(0);
    }

    [Theory]
    [InlineData(0x000)]
    [InlineData(0x040)]
    [InlineData(0x2F0)]
    [InlineData(0x3F0)]
    [InlineData(0x400)]
    [InlineData(0xFF0)]
    public void Register_that_is_not_there_is_an_error(int offset)
    {
        _bench[offset].Should().Be(0);
        _bench[0x280] = 0;
        _bench[0x280].Should().Be(0x80);
        _bench[offset] = 1;
        _bench[0x280] = 0;
        _bench[0x280].Should().Be(0x80);
    }

    [Fact]
    public void Base_moves_the_page()
    {
        Apic.TryWriteBase(0xFEE0_1800).Should().BeTrue();
        Apic.Page.Should().Be(0xFEE01);
    }

    [Theory]
    [InlineData(0xFEE0_0801UL)]
    [InlineData(0xFEE0_0A00UL)]
    [InlineData(0x10_FEE0_0800UL)]
    [InlineData(0xFEE0_0400UL)]
    public void Base_with_reserved_bits_or_impossible_mode_is_refused(ulong value)
    {
        Apic.TryWriteBase(value).Should().BeFalse();
        Apic.Base.Should().Be(0xFEE0_0800);
    }

    public static TheoryData<ulong, ulong, bool> Transitions => new()
    {
        // from, to (bits 11:10), allowed? SDM Vol. 3A figure 11-27
        { 0x800, 0x800, true }, { 0x800, 0xC00, true }, { 0x800, 0x000, true }, { 0x800, 0x400, false },
        { 0xC00, 0xC00, true }, { 0xC00, 0x800, false }, { 0xC00, 0x000, true }, { 0xC00, 0x400, false },
        { 0x000, 0x800, true }, { 0x000, 0xC00, false }, { 0x000, 0x000, true }, { 0x000, 0x400, false },
    };

    [Theory]
    [MemberData(nameof(Transitions))]
    public void Mode_changes_follow_the_state_diagram(ulong from, ulong to, bool allowed)
    {
        Apic.TryWriteBase(0xFEE0_0000 | from).Should().BeTrue();
        Apic.TryWriteBase(0xFEE0_0000 | to).Should().Be(allowed);
        Apic.Base.Should().Be(0xFEE0_0000 | (allowed ? to : from));
    }

    [Fact]
    public void X2Apic_bit_is_reserved_where_the_processor_lacks_it()
    {
        ApicBench old = new(1, options: o => o with { HasX2Apic = false });
        old.Apic.TryWriteBase(0xFEE0_0C00).Should().BeFalse();
    }

    [Fact]
    public void Disabling_loses_the_state_and_hides_the_page()
    {
        _bench.Enabled();
        Apic.Accept(0x60, false);
        Apic.TryWriteBase(0xFEE0_0000).Should().BeTrue();
        Apic.Page.Should().Be(ulong.MaxValue);
        Apic.PendingVector.Should().Be(0);
        Apic.Accept(0x60, false).Should().BeFalse();
        Apic.PassesExternalInterrupts.Should().BeTrue();
        Apic.TryWriteBase(0xFEE0_0800);
        _bench[0xF0].Should().Be(0xFF);
        Apic.PassesExternalInterrupts.Should().BeFalse();
    }

    [Fact]
    public void X2Apic_keeps_the_state_and_has_its_own_ids()
    {
        ApicBench bench = new ApicBench(0x27).Enabled();
        bench[0x80] = 0x40;
        bench[0x310] = 0x5500_0000;
        bench.InX2Apic();
        bench.Apic.Page.Should().Be(ulong.MaxValue);
        bench.Msr(0x802).Should().Be(0x27);
        bench.Msr(0x80D).Should().Be((0x2UL << 16) | (1 << 7));
        bench.Msr(0x808).Should().Be(0x40);
        bench.Msr(0x830).Should().Be(0);
        bench.Msr(0x80F).Should().Be(0x1FF);
    }

    [Fact]
    public void X2Apic_msrs_fault_outside_of_the_mode()
    {
        Apic.TryReadMsr(0x802, out _).Should().BeFalse();
        _bench.Write(0x808, 0).Should().BeFalse();
    }

    [Fact]
    public void X2Apic_msr_map_is_the_manuals()
    {
        _bench.InX2Apic();
        uint[] readable =
        [
            0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, .. Enumerable.Range(0x810, 24).Select(i => (uint)i), 0x828, 0x830,
            0x832, 0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x839, 0x83E,
        ];
        uint[] writable = [0x808, 0x80B, 0x80F, 0x828, 0x830, 0x832, 0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x83E];
        for (uint msr = 0x800; msr <= 0x8FF; msr++)
        {
            Apic.TryReadMsr(msr, out _).Should().Be(readable.Contains(msr), "RDMSR {0:X}", msr);
            if (msr != 0x83F)
                _bench.Write(msr, 0).Should().Be(writable.Contains(msr), "WRMSR {0:X}", msr);
        }

        _bench.Write(0x83F, 0x40).Should().BeTrue();
    }

    [Theory]
    [InlineData(0x808u, 0x100UL)]
    [InlineData(0x80Bu, 1UL)]
    [InlineData(0x828u, 1UL)]
    [InlineData(0x80Fu, 0x400UL)]
    [InlineData(0x830u, 0x1_0000UL)]
    [InlineData(0x830u, 0x10_0000UL)]
    [InlineData(0x832u, 0x8_0000UL)]
    [InlineData(0x835u, 0x2_0000UL)]
    [InlineData(0x837u, 0x100UL)]
    [InlineData(0x838u, 1UL << 32)]
    [InlineData(0x83Eu, 4UL)]
    [InlineData(0x83Fu, 0x100UL)]
    public void X2Apic_reserved_bits_fault(uint msr, ulong value)
    {
        _bench.InX2Apic();
        _bench.Write(msr, value).Should().BeFalse();
    }

    [Fact]
    public void Init_keeps_base_mode_and_id_and_resets_the_rest()
    {
        _bench.Enabled();
        Apic.TryWriteBase(0xFEE0_2800);
        _bench.InX2Apic();
        _bench.Write(0x808, 0x50);
        Apic.Signal(ApicSignals.Startup, 0x99);
        Apic.Signal(ApicSignals.Init);
        Apic.Signals.Should().Be(ApicSignals.Init, "a start-up interrupt before INIT is void");
        Apic.Signal(ApicSignals.Startup, 0x12);

        Apic.TakeSignal(ApicSignals.Init).Should().BeTrue();
        Apic.Init();

        Apic.Base.Should().Be(0xFEE0_2C00);
        _bench.Msr(0x802).Should().Be(3);
        _bench.Msr(0x80D).Should().Be(8);
        _bench.Msr(0x808).Should().Be(0);
        _bench.Msr(0x80F).Should().Be(0xFF);
        Apic.TakeSignal(ApicSignals.Startup).Should().BeTrue("it came after INIT");
        Apic.StartupVector.Should().Be(0x12);
        Apic.Reset();
        Apic.Base.Should().Be(0xFEE0_0800);
    }

    [Fact]
    public void Saved_page_restores_every_register_and_the_rest_of_the_count()
    {
        _bench.Enabled();
        _bench[0xD0] = 0x0400_0000;
        _bench[0x80] = 0x20;
        _bench[0x350] = 0x1_0700;
        _bench[0x320] = 0x2_0041;
        _bench[0x3E0] = 0xB;
        Apic.Accept(0x60, true);
        Apic.Acknowledge();
        Apic.Accept(0x71, false);
        _bench[0x380] = 1000;
        _bench.Advance(260);
        byte[] saved = new byte[LocalApic.SavedPageSize];
        Apic.SavePage(saved);
        BitConverter.ToUInt32(saved, 0x390).Should().Be(900);

        ApicBench other = new(3);
        other.Ticks = 77_777;
        other.Apic.TryRestoreBase(Apic.Base).Should().BeTrue();
        other.Apic.RestorePage(saved);
        byte[] again = new byte[LocalApic.SavedPageSize];
        other.Apic.SavePage(again);
        again.Should().Equal(saved);
        other.Apic.PendingVector.Should().Be(0x71);
        other.Apic.NextDeadline.Should().Be(77_777 + 2340);
    }
}
