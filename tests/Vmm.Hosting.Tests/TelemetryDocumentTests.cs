using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Vmm.Machines;

namespace Vmm.Hosting.Tests;

/// <summary>The tables of docs/telemetry.md against what the code has.</summary>
public sealed class TelemetryDocumentTests
{
    private static readonly Dictionary<string, int> s_ranges = new()
    {
        ["Vmm.Core"] = 1000, ["Vmm.Emulator"] = 2000, ["Vmm.Kvm"] = 3000, ["Vmm.WindowsHypervisor"] = 4000, ["Vmm.Machines"] = 5000,
        ["Vmm.Hosting"] = 6000, ["Vmm.Replay"] = 7000,
    };

    [Fact]
    public void Log_events_are_those_of_the_page_and_in_their_packages_range()
    {
        List<string> events = [];
        foreach (Assembly assembly in Libraries())
        {
            foreach (LoggerMessageAttribute message in MessagesOf(assembly))
            {
                events.Add($"| {message.EventId} | {message.Level} | `{message.Message}` |");
                string name = assembly.GetName().Name!;
                s_ranges.Should().ContainKey(name);
                message.EventId.Should().BeInRange(s_ranges[name], s_ranges[name] + 999, "{0} is of {1}", message.Message, name);
            }
        }
        events.Select(line => line.Split('|')[1]).Should().OnlyHaveUniqueItems();
        Table("Log events").Should().BeEquivalentTo(events);
    }

    [Fact]
    public async Task Instruments_are_those_of_the_page()
    {
        Dictionary<string, SortedSet<string>> tags = [];
        Dictionary<string, Instrument> instruments = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name != VmmTelemetry.MeterName)
                return;
            lock (tags)
            {
                instruments[instrument.Name] = instrument;
                tags[instrument.Name] = [];
            }
            l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, measured, _) =>
        {
            lock (tags)
            {
                foreach (KeyValuePair<string, object?> tag in measured)
                    tags[instrument.Name].Add($"`{tag.Key}`");
            }
        });
        listener.Start();
        using (Machine machine = Build())
            await machine.RunAsync();
        listener.RecordObservableInstruments();

        Table("Instruments").Should().BeEquivalentTo(instruments.Values.Select(instrument =>
            $"| `{instrument.Name}` | {Kind(instrument)} | `{instrument.Unit}` | {string.Join(", ", tags[instrument.Name])} | {instrument.Description} |"));
    }

    [Fact]
    public async Task Activities_are_those_of_the_page_and_nest()
    {
        List<Activity> seen = [];
        using ActivitySource own = new("test of the page");
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == VmmTelemetry.ActivitySourceName || source == own,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (seen)
                    seen.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        ActivityTraceId trace;
        using (Activity root = own.StartActivity("root")!)
        {
            trace = root.TraceId;
            using MemoryStream saved = new();
            using (Machine machine = Build(TestGuest.Spin))
            {
                Task run = machine.RunAsync();
                await machine.ShutDownAsync(TimeSpan.Zero);
                await run;
                machine.Save(saved);
            }
            saved.Position = 0;
            using SavedMachine opened = new(saved);
            Machine.Restore(Hypervisors.Emulator(), opened, opened.Description.ToOptions(new MachineOptions())).Dispose();
        }

        // Other tests' machines are in other traces.
        Activity[] ours = [.. seen.Where(activity => activity.TraceId == trace && activity.Source != own)];
        ours.Select(activity => activity.OperationName).Should().Equal(
            "vmm.partition.create", "vmm.machine.boot", "vmm.machine.stop", "vmm.machine.save", "vmm.partition.create", "vmm.machine.restore");
        ours[0].ParentSpanId.Should().Be(ours[1].SpanId);
        ours[4].ParentSpanId.Should().Be(ours[5].SpanId);
        ours.Select(activity => $"| `{activity.OperationName}` | {string.Join(", ", activity.TagObjects.Select(tag => $"`{tag.Key}`"))} |").Distinct()
            .Should().BeEquivalentTo(Table("Activities").Select(line => line[..(line[..^2].LastIndexOf('|') + 1)]));
    }

    [Fact]
    public void Machine_that_cannot_be_made_is_a_failed_span()
    {
        List<Activity> seen = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == VmmTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (seen)
                    seen.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);

        Action act = () => _ = new Machine(Hypervisors.Emulator(), new MachineOptions { Image = new KernelImage(new byte[16]), MemorySize = 1 << 20 });

        string message = act.Should().Throw<ImageLoadException>().Which.Message;
        seen.Should().ContainSingle(activity => activity.Status == ActivityStatusCode.Error && activity.OperationName == "vmm.machine.boot"
            && activity.StatusDescription == message && (string?)activity.GetTagItem("error.type") == "Vmm.Machines.ImageLoadException");
    }

    private static Machine Build(params byte[] code) => new(Hypervisors.Emulator(), new MachineOptions
    {
        Image = new FlatImage(code.Length == 0 ? TestGuest.PowerOff : code, 0x1000), MemorySize = 1 << 20,
    });

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0];

    private static IEnumerable<Assembly> Libraries() => Directory.EnumerateFiles(AppContext.BaseDirectory, "Vmm*.dll")
        .Where(file => !file.EndsWith(".Tests.dll", StringComparison.Ordinal)).Select(file => Assembly.Load(Path.GetFileNameWithoutExtension(file)));

    private static IEnumerable<LoggerMessageAttribute> MessagesOf(Assembly assembly) => assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
        .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>();

    /// <summary>The rows of the table below a heading, without its head.</summary>
    private static string[] Table(string heading) =>
    [
        .. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "docs", "telemetry.md"))
            .SkipWhile(line => line != $"## {heading}").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith('|')).Skip(2),
    ];
}
