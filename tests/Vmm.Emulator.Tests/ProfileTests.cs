namespace Vmm.Emulator.Tests;

/// <summary>Processor models of a client's own: what they show works, or they are refused.</summary>
public sealed class ProfileTests
{
    [Theory]
    [InlineData(29, "SHA")]
    [InlineData(16, "AVX-512")]
    [InlineData(19, "ADX")]
    public void Profile_that_shows_instructions_the_emulator_lacks_is_refused_by_name(int bit, string name)
    {
        CpuidLeaf leaf7 = CpuProfiles.V3.Find(7, 0)!;
        CpuProfile profile = CpuProfiles.V3.WithLeaf(leaf7 with { Value = leaf7.Value with { Ebx = leaf7.Value.Ebx | (1U << bit) } });
        Action create = () => new EmulatorHypervisor().CreatePartition(new PartitionOptions { CpuProfile = profile });
        create.Should().Throw<NotSupportedException>().WithMessage($"*{name}*");
    }

    [Fact]
    public void Profile_may_show_protection_keys_with_their_state()
    {
        CpuidLeaf leaf7 = CpuProfiles.V3.Find(7, 0)!;
        CpuProfile profile = CpuProfiles.V3
            .WithLeaf(leaf7 with { Value = leaf7.Value with { Ecx = leaf7.Value.Ecx | (1U << 3) } })
            .WithLeaf(new CpuidLeaf(0xD, 0, new CpuidResult(0x207, 0, 2696, 0)))
            .WithLeaf(new CpuidLeaf(0xD, 9, new CpuidResult(8, 2688, 0, 0)))
            with
        { Xcr0Mask = 0x207 };
        using IPartition partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { CpuProfile = profile });
        IVirtualProcessor processor = partition.Processors[0];
        processor.XsaveSize.Should().Be(2696);
        byte[] area = new byte[2696];
        processor.GetXsave(area);
        area[513] = 2; // component 9
        area[2688] = 0x55;
        processor.SetXsave(area);
        byte[] got = new byte[2696];
        processor.GetXsave(got);
        got[2688].Should().Be(0x55);
        got[513].Should().Be(2);
        processor.GetState(RegisterGroups.Control, out ProcessorState state);
        state.Control.Cr4 |= 1 << 22;
        processor.SetState(RegisterGroups.Control, in state);
        processor.GetState(RegisterGroups.Control, out state);
        state.Control.Cr4.Should().Be(1 << 22);
    }
}
