using System.Reflection;
using System.Text.RegularExpressions;
using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Tests;

/// <summary>The library that stands for the platform's under Wine has the exports of the platform that is simulated.</summary>
public sealed partial class TrampolineTests
{
    [Fact]
    public void Library_for_Wine_exports_what_the_simulated_platform_has()
    {
        using Stream stream = typeof(TrampolineTests).Assembly.GetManifestResourceStream("trampoline.c")!;
        using StreamReader source = new(stream);
        object table = SimulatedExports.Table(WindowsRelease.Windows11);

        IEnumerable<string> exports = Export().Matches(source.ReadToEnd()).Select(match => match.Groups[1].Value);

        exports.Should().BeEquivalentTo(typeof(WhvApi).GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Where(field => field.Name is not (nameof(WhvApi.VirtualAlloc) or nameof(WhvApi.VirtualFree)) && (nint)field.GetValue(table)! != 0)
            .Select(field => field.Name));
    }

    [GeneratedRegex(@"F\(WHv(\w+)\)")]
    private static partial Regex Export();
}
