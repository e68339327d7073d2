using System.Text.Json;

namespace Vmm.Tool.Tests;

public sealed class DoctorTests : ToolTest
{
    [Fact]
    public void Table_shows_what_works_and_why_the_rest_does_not()
    {
        ToolResult result = Run("doctor");

        result.Status.Should().Be(0);
        result.Error.Should().BeEmpty();
        result.Text.Should().MatchRegex(@"\| emulator +\| yes +\| yes, \d+ ms +\|").And.MatchRegex(@"\| absent +\| no +\| not tried +\|");
        result.Text.Should().Contain("Why not: the test says so.").And.Contain("Fix: ask the test to say otherwise.");
        result.Text.Should().MatchRegex(@"\| broken +\| no +\| no +\|", "its guest could not be run").And.Contain("Fix: Repair it.");
        result.Text.Should().Contain(Capability.DirtyTracking.Description);
    }

    [Fact]
    public void JSON_holds_the_same()
    {
        ToolResult result = Run("doctor", "--json");

        result.Status.Should().Be(0);
        using JsonDocument json = JsonDocument.Parse(result.Text);
        Dictionary<string, JsonElement> backends = json.RootElement.GetProperty("backends").EnumerateArray()
            .ToDictionary(backend => backend.GetProperty("name").GetString()!);
        backends["emulator"].GetProperty("available").GetBoolean().Should().BeTrue();
        backends["emulator"].GetProperty("guestMilliseconds").GetDouble().Should().BePositive();
        backends["emulator"].GetProperty("slatFormats").EnumerateArray().Select(e => e.GetString()).Should().Equal("ept", "npt", "none");
        backends["absent"].GetProperty("reason").GetString().Should().Be("the test says so");
        backends["broken"].GetProperty("available").GetBoolean().Should().BeFalse();
    }
}
