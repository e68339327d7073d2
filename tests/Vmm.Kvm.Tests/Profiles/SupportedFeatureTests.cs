using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Tests.Profiles;

public sealed class SupportedFeatureTests
{
    private const uint Deadline = 1 << 24;

    // Before Linux 6.14 the list never has the bit, whatever the kernel can do (KVM's API documentation, KVM_GET_SUPPORTED_CPUID).
    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    [InlineData("v3")]
    public void Deadline_of_the_timer_is_the_extensions_to_tell_not_the_lists(string name)
    {
        CpuProfile profile = CpuProfiles.All.Single(known => known.Name == name);
        KvmCpuidEntry[] listed = KvmProcessorProfile.Entries(profile, true, 0);
        KvmProcessorProfile.Lacks(listed, false, profile).Should().BeEmpty();
        for (int i = 0; i < listed.Length; i++)
        {
            if (listed[i].Function == 1)
                listed[i].Ecx &= ~Deadline;
        }
        KvmProcessorProfile.Lacks(listed, true, profile).Should().BeEmpty();
        KvmProcessorProfile.Lacks(listed, false, profile).Should().Equal("CPUID leaf 0x1 ECX bits 0x1000000");
    }

    [Fact]
    public void Other_features_that_are_not_listed_are_missed()
    {
        KvmCpuidEntry[] listed = KvmProcessorProfile.Entries(CpuProfiles.V1, true, 0);
        KvmProcessorProfile.Lacks(listed, true, CpuProfiles.V2).Should().Contain(missing => missing.StartsWith("CPUID leaf 0x7 EBX"));
    }
}
