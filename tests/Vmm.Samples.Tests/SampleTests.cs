using BootLinux;

namespace Vmm.Samples.Tests;

/// <summary>
/// Every sample runs and prints what its expected.txt says, and on standard error what its expected-errors.txt says, where there is one.
/// </summary>
public sealed class SampleTests
{
    private const string NeedsDebian = "06-BootLinux";

    public static TheoryData<string> Samples => [.. SampleProgram.All];

    [SkippableTheory]
    [MemberData(nameof(Samples))]
    public async Task Sample_prints_what_it_is_expected_to(string sample)
    {
        string file = Path.Combine(SampleProgram.Root, sample, "expected.txt");
        File.Exists(file).Should().BeTrue("a sample says in expected.txt what it prints");
        if (sample == NeedsDebian)
            RequireDebian();

        (int status, string output, string errors) = await SampleProgram.RunAsync(sample);

        status.Should().Be(0, "it said: {0}{1}", output, errors);
        ExpectedOutput.Read(file).Compare(output).Should().BeNull("of what it printed: {0}{1}", output, errors);
        string errorFile = Path.Combine(SampleProgram.Root, sample, "expected-errors.txt");
        if (File.Exists(errorFile))
            ExpectedOutput.Read(errorFile).Compare(errors).Should().BeNull("of what it said: {0}", errors);
    }

    [Fact]
    public void There_are_samples() => Samples.Should().HaveCountGreaterThan(8);

    [Theory]
    [InlineData("'--what' is not understood. Usage: *", "--what")]
    [InlineData("--kernel and --initrd go together.*", "--kernel", "only")]
    [InlineData("*nowhere'*", "--kernel", "nowhere", "--initrd", "nowhere")]
    public async Task Boot_sample_says_what_is_wrong(string message, params string[] arguments)
    {
        (int status, string output, string errors) = await SampleProgram.RunAsync(NeedsDebian, arguments);

        status.Should().Be(2);
        output.Should().BeEmpty();
        errors.Should().Match(message).And.NotContain("   at ");
    }

    private static void RequireDebian()
    {
        const string Install = "a Debian or Ubuntu host with network: apt-get update";
        if (!DebianPackages.Available)
            OutsideTool.Missing("debian", $"there is no apt-get and dpkg-deb. It needs {Install}");
        try
        {
            DebianPackages.Fetch(Path.Combine(Path.GetTempPath(), "vmm-boot-linux"));
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            OutsideTool.Missing("debian", $"{e.Message} It needs {Install}");
        }
    }
}
