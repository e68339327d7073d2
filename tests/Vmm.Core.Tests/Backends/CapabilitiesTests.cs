using System.Reflection;

namespace Vmm.Core.Tests;

public sealed class CapabilitiesTests
{
    [Fact]
    public void Capabilities_for_another_backend_keep_everything_but_the_name()
    {
        HypervisorCapabilities before = new("one", [Capability.Doorbells])
        {
            MaximumProcessors = 3,
            PhysicalAddressBits = 44,
            InterceptableExceptions = 0x4000,
            DebugPointLimit = 4,
            SlatFormats = [SlatFormat.Npt],
            CpuProfiles = ["v2"],
            Quirks = [Quirk.CpuidUnmasked],
        };
        HypervisorCapabilities empty = new("one", [Capability.Doorbells]);

        HypervisorCapabilities after = before.For("two");

        after.Backend.Should().Be("two");
        after.Declared.Should().Equal(Capability.Doorbells);
        before.For("two", []).Declared.Should().BeEmpty();
        foreach (PropertyInfo property in typeof(HypervisorCapabilities).GetProperties().Where(property => property.SetMethod is not null))
        {
            property.GetValue(before).Should().NotBe(property.GetValue(empty), "{0} is set above, so that losing it shows", property.Name);
            property.GetValue(after).Should().Be(property.GetValue(before), "{0} is kept", property.Name);
        }
    }
}
