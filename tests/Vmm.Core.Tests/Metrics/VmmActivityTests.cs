using System.Diagnostics;
using Vmm.Testing;

namespace Vmm.Core.Tests.Metrics;

public sealed class VmmActivityTests
{
    [Fact]
    public void Creating_a_partition_is_a_span_with_backend_and_processors()
    {
        List<Activity> seen = [];
        using ActivityListener listener = Listen(seen, "spanned");

        new ScriptedHypervisor(name: "spanned").CreatePartition(new() { ProcessorCount = 2 }).Dispose();

        Activity span = seen.Should().ContainSingle().Which;
        span.OperationName.Should().Be("vmm.partition.create");
        span.GetTagItem("vmm.partition.processors").Should().Be(2);
        span.Status.Should().Be(ActivityStatusCode.Unset);
    }

    [Fact]
    public void A_partition_that_is_refused_is_a_failed_span()
    {
        List<Activity> seen = [];
        using ActivityListener listener = Listen(seen, "refusing");

        Action act = () => new ScriptedHypervisor(name: "refusing").CreatePartition(new() { ProcessorCount = 0 });

        string message = act.Should().Throw<ArgumentOutOfRangeException>().Which.Message;
        Activity span = seen.Should().ContainSingle().Which;
        span.Status.Should().Be(ActivityStatusCode.Error);
        span.StatusDescription.Should().Be(message);
        span.GetTagItem("error.type").Should().Be("System.ArgumentOutOfRangeException");
    }

    // A name of its own keeps other tests' partitions out.
    private static ActivityListener Listen(List<Activity> seen, string backend)
    {
        ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == VmmTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if ((string?)activity.GetTagItem("vmm.backend") == backend)
                    seen.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
