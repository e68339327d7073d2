using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Tests.Abi;

public sealed class LayoutTests
{
    private static readonly Type[] s_notOfTheHeaders = [typeof(KvmFile)];

    [Fact]
    public void Every_structure_and_constant_is_that_of_the_headers()
    {
        LayoutComparison comparison = new(KernelLayouts.Committed);
        foreach (Type type in typeof(KvmRun).Assembly.GetTypes().Where(IsOfTheHeaders))
            comparison.Compare(type);
        comparison.Differences.Should().BeEmpty();
        comparison.Fields.Should().BeGreaterThan(150);
        comparison.Constants.Should().BeGreaterThan(130);
    }

    [Fact]
    public void A_planted_mistake_is_found()
    {
        KernelLayouts planted = new("""
            { "structures": { "Planted": { "size": 16, "fields": { "First": { "offset": 0, "size": 8 }, "Second": { "offset": 8, "size": 4 } } } },
              "constants": { "Planted.Number": 7, "PlantedValues.One": 1 } }
            """);
        LayoutComparison comparison = new(planted);
        comparison.Compare(typeof(Planted));
        comparison.Compare(typeof(PlantedValues));
        comparison.Differences.Should().BeEquivalentTo(
            "size of Planted: 20 instead of 16", "offset of Planted.Second: 12 instead of 8", "size of Planted.Second: 8 instead of 4",
            "Planted.Third is not in the data", "Planted.Number: 8 instead of 7", "PlantedValues.One: 2 instead of 1",
            "PlantedValues.Two is not in the data");
    }

    [Theory]
    [InlineData("\"Rip\": { \"offset\": 128,", "\"Rip\": { \"offset\": 120,", "offset of KvmGeneralRegisters.Rip: 128 instead of 120")]
    [InlineData("\"KvmIoctl.Run\": 44672", "\"KvmIoctl.Run\": 44673", "KvmIoctl.Run: 44672 instead of 44673")]
    public void A_mistake_in_the_data_is_found(string from, string to, string difference)
    {
        string json = KernelLayouts.ReadCommitted();
        json.Should().Contain(from);
        LayoutComparison comparison = new(new KernelLayouts(json.Replace(from, to, StringComparison.Ordinal)));
        foreach (Type type in typeof(KvmRun).Assembly.GetTypes().Where(IsOfTheHeaders))
            comparison.Compare(type);
        comparison.Differences.Should().Equal(difference);
    }

    [SkippableFact]
    public void The_data_is_what_the_script_writes()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            "The headers are those of Linux on x86-64.");
        string folder = Path.Combine(Repository(), "tests", "Vmm.Kvm.Tests", "Abi");
        OutsideTool.Require("gcc", "gcc", "gcc");
        string output = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            OutsideTool.Run("gcc", "gcc", folder, Path.Combine(folder, "regenerate"), output);
            File.ReadAllText(output).Should().Be(KernelLayouts.ReadCommitted());
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static bool IsOfTheHeaders(Type type) =>
        type.Namespace == typeof(KvmRun).Namespace && !type.IsNested && !s_notOfTheHeaders.Contains(type);

    private static string Repository()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Vmm.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Vmm.sln is in no folder above this one.");
        return folder;
    }

    private enum PlantedValues
    {
        One = 2,
        Two = 3,
    }

    [StructLayout(LayoutKind.Explicit, Size = 20)]
    private struct Planted
    {
        public const int Number = 8;

        [FieldOffset(0)]
        public ulong First;
        [FieldOffset(12)]
        public ulong Second;
        [FieldOffset(4)]
        public byte Third;
    }
}
